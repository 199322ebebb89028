"""A measurement as one HTML page."""
