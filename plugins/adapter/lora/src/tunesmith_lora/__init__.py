"""Low-rank adaptation in plain PyTorch, in PEFT's file format."""
