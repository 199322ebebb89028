"""Continuous batching: sequences, the scheduler that forms each step's batch, the thread that runs the steps."""
