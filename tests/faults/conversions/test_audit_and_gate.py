"""The artifact audit and the differential gate on every planted fault and every harmless change, each check alone.

What the audit says of files is tried in `make test`; the gate, which runs the models, is a slow proof. What neither sees, and what is
refused without need, stands here by name with the reason, and a test fails when that is true no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .case import Case
from .cases import FAULTS, HARMLESS

pytest.importorskip("tunesmith_audit")
from .audit_and_gate import by_audit, by_gate

#: cases whose child is an adapter: both checks read models, and see what an adapter does once it is merged
OF_ADAPTERS = {name for name in FAULTS if name.startswith("adapter-")} | {
    "adapter-beside-its-tokenizer", "scale-moved-into-the-factors", "rank-padded", "adapter-in-bfloat16",
}  # fmt: skip
#: faults that the audit can't see: how far a training went, or what rounding gave, is not known beforehand; config that only one side says
TO_THE_GATE = {name for name, case in FAULTS.items() if case.bits} | {
    "merged-twice", "merged-by-rank", "merged-into-the-neighbour", "merged-with-the-other-sign", "merged-without-rslora",
    "merged-without-the-saved-head", "softcapping-lost", "stale-head", "head-dropped-as-tied",
}  # fmt: skip
MISSED: Mapping[str, str] = {}
REFUSED = {
    "template-written-otherwise": "templates are compared as texts, not by what they render",
    "experts-as-one-tensor": "a fused layout has other names than the parent's",
    "experts-and-router-reordered": "experts that moved with their router are not told from experts that were mixed up",
    "channels-reordered": "a matrix has to hold the parent's numbers in their order",
    "heads-reordered": "a matrix has to hold the parent's numbers in their order",
    "norms-folded": "norms may be folded where the config names a format that does so",
}
#: which the audit alone sees
NOT_RENDERED = {
    "begin-token-added-to-texts": "conversations are rendered by the template, which has its own begin token",
}
#: what a gate can see: the rest is in files alone
SHOWN = [name for name, case in FAULTS.items() if case.shows in ("outputs", "ids") and name not in OF_ADAPTERS]

Models = Callable[[str], Path]


def params(cases: Mapping[str, Case], names: Iterable[str], known: Mapping[str, str]) -> list[Any]:
    """The cases, those that are known to come out otherwise as strictly expected failures."""
    marks = {name: [pytest.mark.xfail(reason=why, strict=True)] for name, why in known.items()}
    return [pytest.param(cases[name], id=name, marks=marks.get(name, [])) for name in sorted(names)]


@pytest.mark.parametrize("case", params(FAULTS, FAULTS.keys() - OF_ADAPTERS - TO_THE_GATE, MISSED))
def test_the_audit_refuses_a_fault(case: Case, parent_model: Models, tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    assert not by_audit(case, parent, case.plant(parent, tmp_path / "child")).passed


@pytest.mark.parametrize("case", params(HARMLESS, HARMLESS.keys() - OF_ADAPTERS, REFUSED))
def test_the_audit_passes_a_harmless_change(case: Case, parent_model: Models, tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    assert by_audit(case, parent, case.plant(parent, tmp_path / "child")).reasons == ()


@pytest.mark.slow
@pytest.mark.parametrize("case", params(FAULTS, SHOWN, NOT_RENDERED))
def test_the_gate_refuses_what_shows_in_answers_or_ids(case: Case, parent_model: Models, tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    assert not by_gate(case, parent, case.plant(parent, tmp_path / "child")).passed


@pytest.mark.slow
@pytest.mark.parametrize("case", params(HARMLESS, HARMLESS.keys() - OF_ADAPTERS, {}))
def test_the_gate_passes_a_harmless_change(case: Case, parent_model: Models, tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    assert by_gate(case, parent, case.plant(parent, tmp_path / "child")).reasons == ()


def test_every_fault_of_a_model_is_seen_by_one_of_both_but_for_those_that_are_named() -> None:
    seen = FAULTS.keys() - OF_ADAPTERS - MISSED.keys()
    assert len(seen) >= 60
    assert all(FAULTS[name].shows in ("outputs", "ids") for name in TO_THE_GATE)
