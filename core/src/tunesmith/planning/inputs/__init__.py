"""What goes into steps: the pipeline's model, files, what other steps will make."""
