"""A plugin without providers: code that other plugins stand on, brought into their environments as a plugin's is."""
