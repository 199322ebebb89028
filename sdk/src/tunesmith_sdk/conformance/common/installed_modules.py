"""The check of what a provider runs on: nothing but what its plugin asks for."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.common.provider import loads

_INSTALLED = ("site-packages", "dist-packages")


@check("environment.isolated", title="it works in an environment that holds only what it asks for", level="gold")
def isolated(subject: Subject) -> None:
    if not os.environ.get("VIRTUAL_ENV") or "links" not in os.environ.get("PYTHONPATH", ""):
        raise NotRun("this examination is in the host's environment", where="tunesmith plugin check PATH --env isolated")
    loads(subject)
    work = catalog.ACTIONS.get(subject.record.kind)
    ranks = subject.record.ranks(subject.values)
    if work and subject.step.placement.processes == ranks:  # by one rank of several nothing can be done
        with contextlib.suppress(NotRun):
            work(subject.elsewhere())
    strangers = sorted(_strangers(os.environ["VIRTUAL_ENV"]))
    if strangers:
        raise CheckFailed(f"it uses what is installed elsewhere: {', '.join(strangers[:4])}",
                          fix="Name it in the extra `runtime`; put nothing on `sys.path`.")  # fmt: skip


def _strangers(environment: str) -> Iterator[str]:
    """Modules in memory that were installed into another environment than this one."""
    own = Path(environment).resolve()
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        if any(part in _INSTALLED for part in file.parts) and own not in file.resolve().parents and own not in file.parents:
            yield f"{name} ({file})"
