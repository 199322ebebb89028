"""The matrix objective x adapter x strategy: what the plan says of each cell, and what comes of training it by two processes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith.contracts import Placement
from tunesmith.contracts.settings import fill
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.estimates.memory_and_disk import estimate
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.plan import Choice
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.capabilities import Participants, UnmetNeed, negotiate
from tunesmith.plugins.records import ProviderRecord
from tunesmith.plugins.registry import Registry
from tunesmith.plugins.requirements import lacking
from tunesmith.session import Session

RANK = Path(__file__).with_name("strategies_rank.py")
OBJECTIVE, ADAPTER, STRATEGY, OPTIMIZER = "objective", "adapter", "trainer_strategy", "optimizer"
ALONE = "single"  # what the others are held against
WITH = "adamw"
MODEL_FORMAT = "model/hf"
CLASSES = ["even", "odd"]  # of the rows that have some
WORDS = "words"  # rows of their own: those of the format that the objective accepts are texts
ROWS = {"classify-tokens": WORDS}  # where an objective does not take whatever its format can hold
REWARDS = {"rewards": ["length"]}
SETTINGS = {  # that an objective can't do without
    "classify": {"labels": CLASSES}, "classify-tokens": {"labels": CLASSES}, "grpo": REWARDS, "ppo": REWARDS, "online-dpo": REWARDS,
}  # fmt: skip
#: strategies that are tried in more ways than by their defaults: provider and settings
WAYS: Mapping[str, tuple[str, Mapping[str, Any]]] = {"deepspeed-3": ("deepspeed", {"stage": 3})}
REFUSED, WARNED, TAKEN = "refused", "warned", "taken"
CODE = "TS-PLAN-003"  # of a plan that refuses; with --strict a warning is TS-PLAN-004
SAME = "same"
LOSSES, NORMS = 2e-4, 1e-3  # what they may be apart, as a share
PATIENCE = 20.0  # seconds after which a process gives up that waits for one that has failed
AGAIN = 3  #: a process's exit status after a cell that failed: what libraries count in each may differ now, so new ones go on
SECONDS = 900  # for all cells of a strategy


@dataclass(frozen=True, order=True)
class Cell:
    strategy: str
    adapter: str
    objective: str

    @property
    def folder(self) -> str:
        return f"{self.objective}-{self.adapter}"


@dataclass(frozen=True)
class Decision:
    """Of the plan: refused, warned of or taken, and why; the code of a refusal."""

    state: str
    reason: str = ""
    code: str = CODE


@cache
def registry() -> Registry:
    return Session.open().registry


@cache
def estimators() -> Estimators:
    return Estimators()


def cells() -> Iterator[Cell]:
    """All of strategies for several processes, and of the ways to use them."""
    names = ([*registry().providers(kind)] for kind in (STRATEGY, ADAPTER, OBJECTIVE))
    strategies, adapters, objectives = (sorted(each) for each in names)
    for strategy in sorted((*strategies, *WAYS)):
        if registry().provider(STRATEGY, provider_of(strategy)).facts.get("ranks"):
            yield from (Cell(strategy, adapter, objective) for adapter in adapters for objective in objectives)


def provider_of(strategy: str) -> str:
    """The provider's name, of a strategy or of a way to use one."""
    return WAYS[strategy][0] if strategy in WAYS else strategy


@cache
def decided(cell: Cell) -> Decision:
    """What the plan says, from the manifests."""
    choices = {slot: Choice(_record(cell, slot), {}) for slot in ("objective", "adapter", "strategy", "optimizer")}
    findings = negotiate(Participants(Choice(registry().verb("train"), {}), choices, format=MODEL_FORMAT), registry())
    for state, grades in ((REFUSED, ("none",)), (WARNED, ("unknown", "partial"))):
        if worst := [finding for finding in findings if finding.grade in grades]:
            return (_by_estimators(cell) if state != REFUSED else None) or Decision(state, "; ".join(map(_sentence, worst)))
    return _by_estimators(cell) or Decision(TAKEN)


def _by_estimators(cell: Cell) -> Decision | None:
    """A refusal by those who know the settings, and what the other providers say of theirs."""
    notes, verb = Notes(), registry().verb("train")
    choices = {}
    for slot in (OBJECTIVE, ADAPTER, "strategy", OPTIMIZER):
        record = _record(cell, slot)
        ranks = record.facts.get("ranks")
        own = {ranks: 2, **_of_way(cell)} if ranks else SETTINGS.get(record.name, {}) if slot == OBJECTIVE else {}
        choices[slot] = Choice(record, fill(record.schema, own))
    train, model = Choice(verb, fill(verb.schema, {})), Product("", "", MODEL_FORMAT)
    estimate("tune", train, choices, model, {}, Placement(processes=2), notes, estimators())
    return next((Decision(REFUSED, f"{one.what}, because {one.why}", one.code) for one in notes.problems), None)


def absent(strategy: str) -> str:
    """What a strategy needs that is not in this environment; empty if nothing."""
    return ", ".join(lacking(registry().plugin(registry().provider(STRATEGY, provider_of(strategy)))))


def tried(wanted: Sequence[Cell], folder: Path) -> dict[Cell, str]:
    """What came of each: `SAME` where its losses, norms and what it saved are those of `ALONE`, else what is not, or an error."""
    _prepare(folder)
    alone = [Cell(ALONE, *pair) for pair in sorted({(cell.adapter, cell.objective) for cell in wanted})]
    _launch(ALONE, alone, folder, 1)
    by_strategy: dict[str, list[Cell]] = {}
    for cell in wanted:
        by_strategy.setdefault(cell.strategy, []).append(cell)
    for strategy, own in by_strategy.items():
        _launch(strategy, own, folder, 2)
    return {cell: _held(folder / ALONE / cell.folder, folder / cell.strategy / cell.folder) for cell in wanted}


def _record(cell: Cell, slot: str) -> ProviderRecord:
    strategy = provider_of(cell.strategy)
    named = {"objective": (OBJECTIVE, cell.objective), "adapter": (ADAPTER, cell.adapter), "strategy": (STRATEGY, strategy)}
    return registry().provider(*named.get(slot, (OPTIMIZER, WITH)))


def _of_way(cell: Cell) -> Mapping[str, Any]:
    return WAYS[cell.strategy][1] if cell.strategy in WAYS else {}


def _sentence(finding: UnmetNeed) -> str:
    return f"{finding.what}, {finding.why}"


def _prepare(folder: Path) -> None:
    """A model and rows."""
    from tunesmith_data.api import message
    from tunesmith_sdk.tiny_models import tiny_model

    tiny_model(folder / "model")
    tiny_model(folder / "teacher", seed=1)  # of objectives that learn from one
    by_name: dict[str, list[Any]] = {}
    for number in range(7):
        question, answer, yes = "What is it? " * (1 + number % 3), "A plugin." + " no" * number, "Yes" * (number % 4 + 1)
        prompt = [message("user", question)]
        made: dict[str, Any] = {
            "dataset/chat": {"messages": [*prompt, message("assistant", answer)]},
            "dataset/preference": {"messages": prompt, "chosen": [message("assistant", yes)], "rejected": [message("assistant", "No.")]},
            "dataset/unpaired": {"messages": prompt, "answer": [message("assistant", answer)], "label": number % 2 == 0},
            "dataset/text": {"text": answer * 3},
            "dataset/labelled": {"text": answer, "label": CLASSES[number % 2]},
            WORDS: {"tokens": answer.split(), "labels": [CLASSES[len(word) % 2] for word in answer.split()]},
            "dataset/stepwise": {"messages": prompt, "completions": [answer, yes], "labels": [True, number % 2 == 0]},
            "dataset/embedding": {"anchor": question, "positive": answer, "negatives": [yes][: number % 2]},
        }
        for name, row in made.items():
            by_name.setdefault(name, []).append(row)
    for name, rows in by_name.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _launch(strategy: str, wanted: Iterable[Cell], folder: Path, processes: int) -> None:
    """Train all cells, one after the other in the same processes; in new ones after a cell in which one of them died."""
    home, waiting = folder / strategy, [_spec(cell, processes) for cell in wanted]
    for cell in waiting:
        (home / cell["name"]).mkdir(parents=True)
    end = time.monotonic() + SECONDS
    while waiting and time.monotonic() < end:
        alive = _run(waiting, home, folder, processes, end)
        waiting = [cell for cell in waiting if len([*(home / cell["name"]).glob("rank*.json")]) < processes]
        if waiting and not alive:
            died = {"loss": [], "grad_norm": [], "code": "", "error": "a process died"}
            (home / waiting.pop(0)["name"] / "rank0.json").write_text(json.dumps(died))


def _run(waiting: Sequence[Mapping[str, Any]], home: Path, folder: Path, processes: int, end: float) -> bool:
    """Until a process is at its end; whether none has died."""
    spec = json.dumps({"model": str(folder / "model"), "rows": str(folder), "cells": waiting})
    with contextlib.ExitStack() as stack:
        ranks = []
        for rank in range(processes):
            log = stack.enter_context((home / f"rank{rank}.log").open("ab"))
            command = [sys.executable, str(RANK), str(home), str(rank), str(processes), spec]
            ranks.append(subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=log, stderr=log))
            stack.callback(ranks[-1].wait)
            stack.callback(ranks[-1].kill)
        while any(rank.poll() is None for rank in ranks) and not any(rank.poll() for rank in ranks) and time.monotonic() < end:
            time.sleep(0.1)
        return all(rank.poll() in (None, 0, AGAIN) for rank in ranks)


def _spec(cell: Cell, processes: int) -> dict[str, Any]:
    providers = {}
    for slot in ("objective", "adapter", "strategy", "optimizer"):
        record = _record(cell, slot)
        settings: dict[str, Any] = dict(SETTINGS.get(record.name, {})) if slot == "objective" else {}
        if slot == "strategy" and record.facts.get("ranks"):
            settings |= {str(record.facts["ranks"]): processes, **_of_way(cell)}
            if "timeout" in record.schema.get("properties", {}):
                settings["timeout"] = PATIENCE
        providers[slot] = {"target": (record.target, record.settings), "settings": settings}
    objective = registry().provider(OBJECTIVE, cell.objective)
    format = next(name for name in objective.accepts if name.startswith("dataset/"))
    taught = bool(objective.facts.get("teacher"))
    return {"name": cell.folder, "providers": providers, "format": format, "rows": ROWS.get(cell.objective, format), "teacher": taught}


def _held(one: Path, two: Path) -> str:
    wanted, found = (_report(home) for home in (one, two))
    if wanted["error"]:
        return f"{ALONE} fails: {wanted['code'] or wanted['error']}"
    if found["error"]:
        return found["code"] or found["error"]
    for name, allowed in (("loss", LOSSES), ("grad_norm", NORMS)):
        off = _apart(wanted[name], found[name])
        if off > allowed:
            return f"{name} {off:.0e} apart"
    return _files(one / "output", two / "output") or SAME


def _report(home: Path) -> Mapping[str, Any]:
    """Of the first process; another one's error counts where it has none."""
    found = []
    for path in sorted(home.glob("rank*.json")):
        found.append(json.loads(path.read_text()))
    if not found:
        return {"code": "", "error": "it came to no end"}
    return next((report for report in found if report["code"]), next((report for report in found if report["error"]), found[0]))


def _apart(wanted: Sequence[float], found: Sequence[float]) -> float:
    if not wanted or len(wanted) != len(found):
        return float("inf")
    shares = [abs(one - other) / max(abs(one), 1e-6) for one, other in zip(wanted, found, strict=True)]
    return max(share if share == share else float("inf") for share in shares)


def _files(one: Path, two: Path) -> str:
    """What differs in what was saved; empty if nothing does."""
    import torch
    from safetensors.torch import load_file

    names = [sorted(path.relative_to(home).as_posix() for path in home.rglob("*.safetensors")) for home in (one, two)]
    if not names[0] or names[0] != names[1]:
        return f"it saves {names[1]}, alone {names[0]}"
    for name in names[0]:
        wanted, found = load_file(one / name), load_file(two / name)
        if wanted.keys() != found.keys():
            return f"its {name} has other tensors"
        for key, value in wanted.items():
            if not torch.isfinite(found[key]).all():
                return f"its {key} is not finite"
            if not torch.allclose(found[key].float(), value.float(), rtol=1e-2, atol=5e-4):
                return f"its {key} is another"
    return ""
