"""What adapters build on: the modules that they target, what they add to layers, and when they are called while training."""
