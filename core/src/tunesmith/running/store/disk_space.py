"""Admission on the disk for what a plan will write, looked at before anything is computed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.planning.estimates.memory_and_disk import check_disk
from tunesmith.planning.plan import Plan
from tunesmith.running.steps.cached_results import standing


def check_room(plan: Plan, home: Path) -> None:
    """
    What a model loader brings is left out: it may link files that are on the disk already, and looks itself, before its first byte.

    Raises:
        UserError: TS-PLAN-009 when the steps that are not done yet will write more than is free.
    """
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    left_out = {step.name for step in plan.steps if step.verb.main_kind == "model_loader"}
    if not check_disk(plan, free, left_out.__contains__):
        return
    left_out |= {name for name, cached in standing(plan, home)[0].items() if cached}
    for problem in check_disk(plan, free, left_out.__contains__):
        raise problem
