"""A plugin without providers: code that quantizers stand on, brought into their environments as a plugin's is."""
