"""From what came back to figures, marks and comparisons."""
