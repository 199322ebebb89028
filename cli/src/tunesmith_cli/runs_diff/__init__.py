"""`tunesmith runs diff A B`: two runs beside one another."""
