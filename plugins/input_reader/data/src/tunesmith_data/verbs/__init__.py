"""What the steps do that are planned for data files."""
