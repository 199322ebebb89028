"""Online DPO: learn from the better and the worse of what the model itself writes."""
