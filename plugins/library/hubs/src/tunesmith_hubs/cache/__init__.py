"""What stays on this machine: files by their hash, and what hubs have said of their revisions."""
