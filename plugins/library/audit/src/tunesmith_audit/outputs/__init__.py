"""What parent and child compute of the same conversations, held against each other (the differential gate)."""
