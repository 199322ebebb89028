"""Tokens that confirm a run: each for one plan, for a while, and once."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError

#: of a step of `tunesmith plan --json`: what it will do
_OF_STEP = (
    "name", "group", "source", "verb", "providers", "settings", "inputs", "format", "after", "seed", "device", "processes", "environment",
)  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A run that waits for a yes.

    Args:
        file: of the pipeline, relative to the root.
        assignments: values that are changed in it.
        keep_serving: servers at its end stay up.
        digest: of all that was shown: the pipeline's text, its steps with their settings, the rows that they read.
    """

    file: Path
    assignments: tuple[str, ...]
    keep_serving: bool
    digest: str


class Confirmations:
    """What waits for a yes. It lives as long as the server: after a restart each plan is shown again.

    Args:
        lasts: seconds that a token counts.
        clock: seconds that only go forward.
    """

    def __init__(self, lasts: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.lasts, self._clock = lasts, clock
        self._waiting: dict[str, tuple[float, Prepared]] = {}

    def ask(self, prepared: Prepared) -> str:
        """A token for a run; the one that was given for the same before counts no longer."""
        now = self._clock()
        self._waiting = {
            token: (until, other) for token, (until, other) in self._waiting.items() if until > now and other.file != prepared.file
        }
        token = secrets.token_urlsafe(24)
        self._waiting[token] = (now + self.lasts, prepared)
        return token

    def take(self, token: str) -> Prepared:
        """What a token confirms; it counts no more.

        Raises:
            UserError: TS-MCP-003 when it is not known, was used, or is too old.
        """
        until, prepared = self._waiting.pop(token, (0.0, None))
        if prepared is None or until <= self._clock():
            raise UserError(
                "TS-MCP-003", "this confirmation token does not count",
                why=f"A token counts once, for {self.lasts:g} seconds, for the plan it was given with, and until the server ends.",
                fix="Call `prepare_run` again, show its plan, and take the token that comes with it.",
            )  # fmt: skip
        return prepared


def digest_of(plan: Mapping[str, Any], pipeline: bytes, keep_serving: bool) -> str:
    """Of what a plan would do: not of what it estimates, nor of what is in the cache by now.

    Args:
        plan: as `tunesmith plan --json` tells it.
        pipeline: bytes of its file.
    """
    steps = [{key: step.get(key) for key in _OF_STEP} for step in plan["steps"]]
    told = json.dumps([steps, plan["gates"], plan["listeners"], keep_serving], sort_keys=True)
    return hashlib.sha256(pipeline + b"\0" + told.encode()).hexdigest()
