"""Who asks a registry: a token of the environment's, or what `docker login` and `oras login` have kept.

Source: https://docs.docker.com/reference/cli/docker/login
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tunesmith_hubs import keyring_token

VARIABLE = "TUNESMITH_OCI_TOKEN"
_DOCKER_HUB = {"docker.io": "https://index.docker.io/v1/", "registry-1.docker.io": "https://index.docker.io/v1/"}


def authorization(registry: str) -> str:
    """The header's value, or an empty text: a bearer token, or a name and a password of Docker's file (`auth`)."""
    if token := os.environ.get(VARIABLE, "").strip():
        return f"Bearer {token}"
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        said = json.loads((folder / "config.json").read_text("utf-8"))["auths"]
        kept = str((said.get(registry) or said.get(_DOCKER_HUB.get(registry, "")) or {}).get("auth") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        kept = ""
    if kept:
        return f"Basic {kept}"
    token = keyring_token("oci")
    return f"Bearer {token}" if token else ""
