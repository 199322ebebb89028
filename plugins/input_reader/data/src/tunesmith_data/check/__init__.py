"""Whether the rows of a file can be used."""
