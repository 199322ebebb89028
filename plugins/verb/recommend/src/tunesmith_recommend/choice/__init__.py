"""From facts of data, machine and plugins to a pipeline, each choice with its reason."""
