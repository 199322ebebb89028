"""What of a home can go: artifacts and begun work that no run, pin or newer artifact holds."""
