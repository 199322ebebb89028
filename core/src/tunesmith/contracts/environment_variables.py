"""Whether a variable is set, for estimators, which see none that holds a token, a key or a password."""

from __future__ import annotations

import os

#: names of the variables with a secret that are set and whose values a process does not get, with a space between
WITHHELD = "TUNESMITH_WITHHELD"


def is_set(name: str) -> bool:
    """Whether an environment variable of the user's is set and not empty; a plan can say so of a key without knowing it."""
    return bool(os.environ.get(name)) or name in os.environ.get(WITHHELD, "").split()
