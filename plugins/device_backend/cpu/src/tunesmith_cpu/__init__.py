"""The processor as a device: cores, memory that a process may use, dtypes. Standard library only."""
