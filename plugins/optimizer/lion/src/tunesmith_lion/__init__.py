"""Lion: steps of one size along the sign of the momentum."""
