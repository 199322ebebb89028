"""The processor as a device: cores, memory that a process may use, number types. Standard library only."""
