"""GaLore and APOLLO: full fine-tuning with the memory of a low rank."""
