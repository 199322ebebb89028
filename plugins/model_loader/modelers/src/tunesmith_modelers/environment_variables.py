"""What the environment says about Modelers, read the way its own library does (openmind-hub 1.3.0, constants.py)."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith_hubs import keyring_token

DEFAULT_ENDPOINT = "https://modelers.cn"
TOKEN = "TUNESMITH_MODELERS_TOKEN"  #: the library knows no variable for it


def endpoint() -> str:
    """The hub's address, without a slash at its end."""
    return (os.environ.get("OPENMIND_HUB_ENDPOINT") or DEFAULT_ENDPOINT).strip().rstrip("/")


def token() -> str:
    """The user's access token, or an empty string."""
    return os.environ.get(TOKEN, "").strip() or keyring_token("modelers")


def cache() -> Path:
    """Where the hub's own library keeps what it downloads; it may not exist."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root).expanduser() if root else Path.home() / ".cache") / "openmind" / "hub"
