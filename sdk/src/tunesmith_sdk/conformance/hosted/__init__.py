"""Checks that are made on the host's side, of the source folder or by starting workers; workers import none of them."""
