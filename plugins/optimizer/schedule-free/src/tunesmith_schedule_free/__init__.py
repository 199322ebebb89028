"""Schedule-free AdamW: an average of the steps instead of a rate that falls."""
