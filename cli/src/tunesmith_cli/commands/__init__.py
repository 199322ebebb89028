"""The commands, one module each; a group's subcommands together."""
