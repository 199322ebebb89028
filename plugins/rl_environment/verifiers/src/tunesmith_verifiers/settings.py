"""Settings of the environment `verifiers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import setting


@dataclass(frozen=True)
class VerifiersSettings:
    taskset: str = setting("", "id of the taskset, as `vf-eval` takes it: the name of an installed package or a module that exports one")
    config: dict[str, Any] = setting(
        {}, "the environment's own configuration (`EnvConfig` of verifiers), such as {taskset: {num_tasks: 100}}"
    )
    column: str = setting("task", "column of the row with the task's number, from 0; rows without it have one drawn by the seed")
