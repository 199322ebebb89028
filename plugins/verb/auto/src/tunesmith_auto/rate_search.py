"""A search for the learning rate before the work is done, by the command of whoever brings `tunesmith tune`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tunesmith.errors import UserError
from tunesmith_auto.policy import Remedy
from tunesmith_cli.api import main, write_whole
from tunesmith_recommend.api import Wishes

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

RULE = "search"  #: its name in `policy.json`
COMMAND = "tune"
STEP, SETTING, METRIC = "tune", "learning_rate", "validation_loss"
#: what the search goes by: held out of the rows to learn from, and none of those that judge at the end
HELD = {"validation_split": 0.1}
WRITTEN = "tunesmith auto --search"  #: first line of the search's own pipeline
SPAN = 4.0  # from a quarter of the recommended rate to four times that


def check(registry: Registry, file: Path) -> None:
    """
    Raises:
        UserError: TS-AUTO-002 when no command is installed that searches, TS-RECOMMEND-004 where somebody else's file is in its place.
    """
    own = _own(file)
    if own.exists() and not own.read_text(encoding="utf-8", errors="replace").startswith(f"# {WRITTEN}"):
        raise UserError(
            "TS-RECOMMEND-004", f"{own} is there already, where the search would write its pipeline",
            fix="Rename it, or name another pipeline with --file.",
        )  # fmt: skip
    commands = {name for plugin in registry.plugins for name, *_ in plugin.commands if plugin.state == "active"}
    if COMMAND not in commands:
        fix = "Install one: pip install tunesmith-tune tunesmith-optuna. Or leave --search out."
        raise UserError("TS-AUTO-002", f"no plugin brings `tunesmith {COMMAND}`, which searches", fix=fix)


def _own(file: Path) -> Path:
    return file.with_name(f"{file.stem}-search.yaml")


def held_out(wishes: Wishes) -> Wishes:
    """The wishes with the rows held out that a search goes by."""
    reason = "the search for the learning rate goes by them"
    return Wishes(**{**vars(wishes), "settings": {**HELD, **wishes.settings}, "reasons": {**dict.fromkeys(HELD, reason), **wishes.reasons}})


def searched(pipeline: Mapping[str, Any], rate: float, trials: int, file: Path, *, as_json: bool = False) -> Remedy | int:
    """The best learning rate of some trials, as a thing to recommend with; the exit status where the search did not end well.

    Args:
        rate: that is recommended.
        file: of the pipeline; the search has one of its own beside it, with the training alone.
    """
    own = _own(file)
    alone = {**pipeline, "steps": {STEP: pipeline["steps"][STEP]}}
    write_whole(own, f"# {WRITTEN}\n{yaml.safe_dump(alone, sort_keys=False, allow_unicode=True)}")
    space = f"steps.{STEP}.settings.{SETTING}=log({rate / SPAN:.3g},{rate * SPAN:.3g})"
    words = [COMMAND, str(own), "--search", space, "--metric", f"{STEP}.{METRIC}", "--budget", f"{trials} trials"]
    status = main([*words, *(["--json"] if as_json else [])])
    best = own.with_name(f"{own.stem}-tuned.yaml")
    if status or not best.exists():
        return status or 1
    found = float(yaml.safe_load(best.read_text(encoding="utf-8"))["steps"][STEP]["settings"][SETTING])
    told = f"the best of {trials} trials between {rate / SPAN:.3g} and {rate * SPAN:.3g}, by {METRIC}"
    return Remedy(RULE, told, settings={SETTING: found}, reasons={SETTING: told})
