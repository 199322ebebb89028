"""What formats build on that take pairs, too: all of `tunesmith_preference` that other distributions may import."""

from tunesmith_preference.rows import ROW, Preference

__all__ = ["ROW", "Preference"]
