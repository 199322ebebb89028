"""Files of other tools as keys with values and lines."""
