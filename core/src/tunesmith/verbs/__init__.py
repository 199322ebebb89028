"""The kernel's own verbs, one per kind that makes an artifact by itself. Run in the worker: standard library only."""
