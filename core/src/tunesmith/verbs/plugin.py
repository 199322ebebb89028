"""The kernel as a plugin of itself: its verbs and its executor come to the registry by a manifest like everybody's."""

from __future__ import annotations

from tunesmith.contracts.provider import Provider, Verb
from tunesmith.hookspecs import hookimpl
from tunesmith.verbs.records import VERBS


@hookimpl
def verb() -> tuple[Verb, ...]:
    return VERBS


@hookimpl
def executor() -> Provider:
    return Provider("local", "workers are processes of this machine", "tunesmith.running.worker.local_executor:LocalExecutor", priority=100)
