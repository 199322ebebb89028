"""The report of a run: one HTML page that needs nothing else, and the same as JSON."""
