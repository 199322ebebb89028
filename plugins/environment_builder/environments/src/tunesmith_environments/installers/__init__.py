"""What resolves and installs packages: uv, or pip where uv can't be had."""
