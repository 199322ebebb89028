"""Whether the user is logged in, without asking: the package itself would ask in the terminal."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit

SERVER = "https://api.wandb.ai"  # the package's default


def mode() -> str | None:
    """What ``WANDB_MODE`` says, else ``offline`` for those who are not logged in; None: as the package's own settings say."""
    if said := os.environ.get("WANDB_MODE"):
        return said
    named = os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE")
    return None if named or _has_key() else "offline"


def _has_key() -> bool:
    """Whether `wandb login` has written a key for the server."""
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or SERVER).hostname or ""
    files = [Path(os.environ["NETRC"])] if os.environ.get("NETRC") else [Path.home() / ".netrc", Path.home() / "_netrc"]
    for file in files:
        try:
            if netrc.netrc(file).authenticators(host):
                return True
        except (OSError, netrc.NetrcParseError):
            continue
    return False
