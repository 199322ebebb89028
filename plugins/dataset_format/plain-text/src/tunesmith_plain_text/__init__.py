"""Documents of plain text as a dataset. Standard library only."""
