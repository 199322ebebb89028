"""What the environment says about ModelScope, read the way its own library does (modelscope-hub 0.5.1, config.py)."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith_hubs import keyring_token

DEFAULT_ENDPOINT = "https://www.modelscope.cn"


def endpoint() -> str:
    """The hub's address, without a slash at its end."""
    chosen = (os.environ.get("MODELSCOPE_ENDPOINT") or os.environ.get("MODELSCOPE_DOMAIN") or DEFAULT_ENDPOINT).strip().rstrip("/")
    return chosen if chosen.lower().startswith(("http://", "https://")) else f"https://{chosen}"


def token() -> str:
    """The user's access token, or an empty string.

    The file that `modelscope login` writes is a pickle, which is not read: loading one runs whatever code it holds.
    """
    return os.environ.get("MODELSCOPE_API_TOKEN", "").strip() or keyring_token("modelscope")


def caches() -> list[Path]:
    """Where the hub's own library keeps what it downloads; they may not exist."""
    chosen = os.environ.get("MODELSCOPE_CACHE")
    root = Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "modelscope"
    return [root, root / "hub"]
