"""The GPU of a Mac with Apple silicon as a device, asked through the system's own tools. Standard library only."""
