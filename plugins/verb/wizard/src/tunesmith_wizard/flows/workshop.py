"""What all flows work with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_cli.api import Session
from tunesmith_wizard.interview import Interview
from tunesmith_wizard.machine import Machine

if TYPE_CHECKING:
    from tunesmith_wizard.models import Models


@dataclass
class Workshop:
    interview: Interview
    session: Session

    @cached_property
    def machine(self) -> Machine:
        return Machine(self.session, self.interview.say)

    @cached_property
    def models(self) -> Models:
        from tunesmith_wizard.models import Models

        return Models(self.session, self.machine)

    @property
    def folder(self) -> Path:
        return Path.cwd()
