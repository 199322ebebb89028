"""The contracts of the kinds that the kernel knows, one module each."""
