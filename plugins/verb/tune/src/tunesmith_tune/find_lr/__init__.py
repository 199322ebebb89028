"""The learning-rate range test: one short training whose rate rises, and the rate at which the loss falls fastest."""
