"""What an artifact's files say, held against its parent's: read by their bytes, with numpy, nothing loaded as a model."""
