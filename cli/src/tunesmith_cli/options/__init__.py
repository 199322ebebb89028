"""What is typed after a command: parsers, settings as options, pipelines and steps as arguments."""
