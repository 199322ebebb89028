"""What came of the checks, as a table, a badge, a line of progress."""
