"""Models from Modelers (openMind's hub), for Tunesmith."""
