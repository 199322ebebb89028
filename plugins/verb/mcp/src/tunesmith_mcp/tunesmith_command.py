"""A command of Tunesmith, as a client's tool asks it: in a process of its own, which ends with the request that asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tunesmith.errors import TunesmithError, together

PROGRAM = (sys.executable, "-m", "tunesmith_cli")
_QUOTED = 8  # last lines of what a command complains about


class Ask(Protocol):
    """What runs a command in the root, and gives the JSON that it tells."""

    async def __call__(self, words: Sequence[str]) -> Any: ...


def asker(root: Path) -> Ask:
    """
    Args:
        root: folder that commands are typed in.
    """

    async def ask(words: Sequence[str]) -> Any:
        import anyio

        done = await anyio.run_process([*PROGRAM, *words, "--json"], check=False, cwd=root)
        return told(words[0], done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    return ask


def told(command: str, said: str, complaints: str = "") -> Any:
    """What a command told as JSON.

    Raises:
        TunesmithError: what it refused, with its code; TS-MCP-004 when it told nothing.
    """
    try:
        found = json.loads(said)
    except ValueError:
        why = "\n".join(complaints.splitlines()[-_QUOTED:]) or "It said nothing."
        raise TunesmithError(
            "TS-MCP-004", f"`tunesmith {command}` gave no answer", why=why, fix=f"Type it yourself: tunesmith {command}"
        ) from None
    if isinstance(found, dict) and "error" in found and found.get("event") == "error":
        raise together([TunesmithError.from_json(one) for one in found["error"].get("problems") or [found["error"]]])
    return found
