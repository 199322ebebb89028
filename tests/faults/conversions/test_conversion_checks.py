"""What `tunesmith-audit` says of each planted fault and each harmless change: the audit of the files alone, and with it what both compute.

The audit of files is tried in `make test`; what runs the models is a slow proof. What the audit does not see, and what it refuses without
need where nothing is run, stands here by name with the reason, and a test fails when that is true no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tunesmith_audit import Verdict
from tunesmith_audit.files.audit import audit
from tunesmith_audit.outputs.comparison import compared

from .behaviour import base_of
from .case import Case
from .cases import FAULTS, HARMLESS

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
#: which the gate does not see: the audit alone does
NOT_RENDERED = {
    "begin-token-added-to-texts": "conversations are rendered by the template, which has its own begin token",
}
#: what a gate can see: the rest is in files alone
SHOWN = [name for name, case in FAULTS.items() if case.shows in ("outputs", "ids") and name not in OF_ADAPTERS]

Models = Callable[[str], Path]


def params(cases: Mapping[str, Case], names: Iterable[str], known: Mapping[str, str] | None = None) -> list[Any]:
    """The cases, those that are known to come out otherwise as strictly expected failures."""
    marks = {name: [pytest.mark.xfail(reason=why, strict=True)] for name, why in (known or {}).items()}
    return [pytest.param(cases[name], id=name, marks=marks.get(name, [])) for name in sorted(names)]


def of_files(case: Case, parent: Path, child: Path) -> Verdict:
    """The audit alone. Weights that went through a quantized format come here unpacked: it takes them as changed ones."""
    base = base_of(parent)
    return audit(base or parent, child, "update" if base or case.bits or case.changed else "convert")


def checked(case: Case, parent: Path, child: Path) -> tuple[bool, Verdict]:
    """As the check `audit` does it: whether the child is published, and all that was found. Both are run whatever the files say, so that
    the gate is tried on its own, too."""
    files = audit(parent, child, "update" if case.changed else "auto")
    both = compared(files, parent, child, bits=case.bits or 0)
    return not files.unless_computed_alike().findings and both.ok, both


@pytest.mark.parametrize("case", params(FAULTS, FAULTS.keys() - OF_ADAPTERS - TO_THE_GATE, MISSED))
def test_the_audit_refuses_a_fault(case: Case, parent_model: Models, tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    assert not of_files(case, parent, case.plant(parent, tmp_path / "child")).ok


@pytest.mark.parametrize("case", params(HARMLESS, HARMLESS.keys() - OF_ADAPTERS, REFUSED))
def test_the_audit_passes_a_harmless_change(case: Case, parent_model: Models, tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    assert of_files(case, parent, case.plant(parent, tmp_path / "child")).findings == ()


@pytest.mark.slow
@pytest.mark.parametrize("case", params(FAULTS, FAULTS))
def test_a_planted_fault_is_refused_and_the_gate_sees_what_shows_in_answers_or_ids(
    case: Case, parent_model: Models, tmp_path: Path
) -> None:
    parent = parent_model(case.parent)
    published, found = checked(case, parent, case.plant(parent, tmp_path / "child"))
    assert not published
    if case.name in SHOWN and case.name not in NOT_RENDERED:
        assert found.not_compared or any(finding.code.startswith("TS-GATE") for finding in found.findings)


@pytest.mark.slow
@pytest.mark.parametrize("case", params(HARMLESS, HARMLESS))
def test_a_harmless_change_is_published(case: Case, parent_model: Models, tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    published, found = checked(case, parent, case.plant(parent, tmp_path / "child"))
    assert published, found.findings


def test_every_fault_of_a_model_is_seen_by_one_of_both_but_for_those_that_are_named() -> None:
    seen = FAULTS.keys() - OF_ADAPTERS - MISSED.keys()
    assert len(seen) >= 60
    assert all(FAULTS[name].shows in ("outputs", "ids") for name in TO_THE_GATE)
