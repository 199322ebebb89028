"""What speaks against settings before anybody is asked: by the plan, and again where the step runs. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tunesmith.contracts import UserError
from tunesmith.contracts.allowed_hosts import is_loopback
from tunesmith.contracts.environment_variables import is_set


def check(settings: Mapping[str, Any], host: str) -> None:
    """
    Args:
        settings: of the backend.
        host: address that the step listens on.

    Raises:
        UserError: TS-SERVE-051 without the key, TS-SERVE-054 for a server on another machine without TLS, TS-SERVE-055 where other machines
            could spend the key.
    """
    url, key = urlsplit(settings["url"]), settings["api_key_env"]
    if key and not is_set(key):
        raise UserError("TS-SERVE-051", f"the environment variable {key} is not set", why="`api_key_env` names it.",
                        fix=f"export {key}=... in the shell that plans and runs; nothing of it is written down.")  # fmt: skip
    if url.scheme == "http" and not is_loopback(url.hostname or "") and not settings["allow_http"]:
        raise UserError("TS-SERVE-054", f"{settings['url']} is asked without TLS",
                        why=f"Who is on the way to {url.hostname} would read {'the key and ' * bool(key)}what is asked and answered.",
                        fix="Begin the URL with https://, or set `allow_http: true` for a network that you trust.")  # fmt: skip
    if key and not is_loopback(host):
        raise UserError("TS-SERVE-055", f"the step would listen on {host} and ask with the key in {key}",
                        why="Everybody who reaches that address would use the key.",
                        fix="Leave `host` at 127.0.0.1, and put `tunesmith gateway` with keys of its own before it.")  # fmt: skip
