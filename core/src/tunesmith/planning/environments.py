"""What a step runs in, as a hash for its cache key."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from tunesmith.planning.choices import Chooser
from tunesmith.planning.plan import PlannedStep
from tunesmith.plugins import runtime
from tunesmith.plugins.records import ProviderRecord


class Environments:
    def __init__(self, chooser: Chooser) -> None:
        self.chooser = chooser
        self._fingerprints: dict[str, str] = {}

    def placed(self, step: PlannedStep, **changes: Any) -> PlannedStep:
        """The step with the hash of its environment: the versions that its plugins run on."""
        records = (step.verb, *(choice.record for choice in step.choices.values()))
        marks = sorted({self.fingerprint(record) for record in records})
        return replace(step, environment=hashlib.sha256(" ".join(marks).encode()).hexdigest()[:16], **changes)

    def fingerprint(self, record: ProviderRecord) -> str:
        if record.distribution not in self._fingerprints:
            self._fingerprints[record.distribution] = runtime.fingerprint(self.chooser.plugin(record))
        return self._fingerprints[record.distribution]
