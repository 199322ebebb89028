"""For authors of Tunesmith plugins: pytest fixtures, tiny real models, steps that run in the test's own process."""
