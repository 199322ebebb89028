"""Models that somebody describes: loaders in a file beside their manifest, and a company in a file of its own."""
