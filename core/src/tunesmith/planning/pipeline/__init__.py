"""The pipeline as it was written: its file, the steps in it, gates, the order of steps."""
