"""A token from the system's keyring, by the library `keyring` where that is installed: ``keyring set tunesmith huggingface``."""

from __future__ import annotations

import importlib.util

SERVICE = "tunesmith"


def keyring_token(hub: str) -> str:
    """What is kept for a hub; empty where nothing is, or there is no keyring.

    Args:
        hub: the loader's name.
    """
    if importlib.util.find_spec("keyring") is None:
        return ""
    import keyring
    from keyring.errors import KeyringError

    try:
        return (keyring.get_password(SERVICE, hub) or "").strip()
    except KeyringError:  # there is none, or it is locked: the hub says what it takes without a token
        return ""
