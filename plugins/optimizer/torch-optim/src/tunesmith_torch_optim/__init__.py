"""The optimizers of torch.optim: AdamW, Adafactor, Muon, SGD."""
