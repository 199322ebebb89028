"""What the environment says about the hub, read the way the hub's own library does.

Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
"""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith_file.api import offline
from tunesmith_hubs import keyring_token

DEFAULT_ENDPOINT = "https://huggingface.co"


def endpoint() -> str:
    """The hub's address, without a slash at its end."""
    return (os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")


def is_offline() -> bool:
    """Whether nothing may be fetched."""
    return offline("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def token() -> str:
    """The user's access token, or an empty string."""
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if os.environ.get(variable, "").strip():
            return os.environ[variable].strip()
    try:
        kept = Path(os.environ.get("HF_TOKEN_PATH") or _home() / "token").expanduser().read_text("utf-8").strip()
    except (OSError, ValueError):
        kept = ""
    return kept or keyring_token("huggingface")


def hub_cache() -> Path:
    """Where the hub's own library keeps what it downloads; it may not exist."""
    chosen = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(chosen).expanduser() if chosen else _home() / "hub"


def _home() -> Path:
    chosen = os.environ.get("HF_HOME")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
