"""The kernel as a plugin of itself: its verbs come to the registry by a manifest like everybody's."""

from __future__ import annotations

from tunesmith.contracts.provider import Verb
from tunesmith.hookspecs import hookimpl
from tunesmith.verbs.records import VERBS


@hookimpl
def verb() -> tuple[Verb, ...]:
    return VERBS
