"""Models on disk: what lies in a directory, and how it gets into the store.

Other loaders use `describe` (what format is this, what is the model's config) and `find` (which of these file names belong to the model).
"""

from tunesmith_file.model_description import describe
from tunesmith_file.model_files import Layout, find

__all__ = ["Layout", "describe", "find"]
