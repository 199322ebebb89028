"""Where a step runs: on which device, in which environment."""
