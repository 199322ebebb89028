"""What came of a search: as data, as lines, as a page."""
