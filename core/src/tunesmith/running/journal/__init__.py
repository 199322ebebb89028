"""What was run and what came of it, kept and read."""
