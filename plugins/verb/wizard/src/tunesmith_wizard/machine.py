"""This machine in a line: what it computes with, and what there is room for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from tunesmith_cli.api import Session, size
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.api import probe


class Machine:
    """Asked once: measuring takes a second, the first time, on a busy machine many.

    Args:
        say: that it is looked at; None: to nobody.
    """

    def __init__(self, session: Session, say: Callable[[str], None] | None = None) -> None:
        self.session, self.say = session, say

    @cached_property
    def facts(self) -> dict[str, Any]:
        if self.say:
            self.say(_("Looking at this machine..."))
        return probe(self.session.config, self.session.registry)

    @property
    def device(self) -> dict[str, Any] | None:
        """What is computed with: an accelerator where there is one."""
        found = [device for name, devices in self.facts["devices"].items() if name != "cpu" for device in devices]
        return next(iter([*found, *self.facts["devices"].get("cpu", ())]), None)

    @property
    def accelerated(self) -> bool:
        return any(name != "cpu" for name in self.facts["devices"])

    @property
    def free(self) -> float:
        """Bytes of memory that a model may take."""
        return float(self.device["free"]) if self.device else 0.0

    @property
    def text(self) -> str:
        if not self.device:
            return _("nothing to compute with was found: `tunesmith doctor` says what is missing")
        told = _(
            "{device}, {free} of {memory} memory free, {disk} free on the disk", device=self.device["name"], free=size(self.free),
            memory=size(self.device["memory"]), disk=size(self.facts["disk"]["home"]["free"]),
        )  # fmt: skip
        return told if self.accelerated else f"{told}{_('; no GPU')}"
