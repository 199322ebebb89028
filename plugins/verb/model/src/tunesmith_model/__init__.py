"""What a model is, before anything is done with it."""

SUMMARY = "what a model is: sizes, template, licence, what can be made of it and where it fits"
