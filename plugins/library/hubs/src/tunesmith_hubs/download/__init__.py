"""Files on their way: in parallel parts, from one place after another, and verified."""
