"""A plugin without providers: code that loaders of hubs stand on, brought into their environments as a plugin's is."""
