"""What an import writes and tells."""
