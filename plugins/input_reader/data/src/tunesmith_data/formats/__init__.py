"""Which dataset format the rows of a file have."""
