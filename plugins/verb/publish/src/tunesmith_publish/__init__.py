"""Models to where others find them."""

SUMMARY = "put a model on a hub, in a store or a folder, with a card made from its lineage; verified there"
