"""What `tunesmith-audit` says of each planted fault and each harmless change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith_audit import Verdict
from tunesmith_audit.audit import audit
from tunesmith_audit.comparison import compared

from .case import Case
from .cases import FAULTS, HARMLESS


def check(case: Case, parent: Path, child: Path) -> Verdict:
    """As `check_artifact` does it, without a step."""
    verdict = audit(parent, child, "update" if case.changed else "auto")
    if verdict.unless_computed_alike().findings:
        return verdict
    return compared(verdict, parent, child, bits=case.bits or 0)


@pytest.mark.slow
@pytest.mark.parametrize("case", FAULTS.values(), ids=list(FAULTS))
def test_a_planted_fault_is_refused(case: Case, parent_model: Callable[[str], Path], tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    assert not check(case, parent, case.plant(parent, tmp_path / "child")).ok


@pytest.mark.slow
@pytest.mark.parametrize("case", HARMLESS.values(), ids=list(HARMLESS))
def test_a_harmless_change_is_not_refused(case: Case, parent_model: Callable[[str], Path], tmp_path: Path) -> None:
    parent = parent_model(case.parent)
    verdict = check(case, parent, case.plant(parent, tmp_path / "child"))
    assert verdict.ok, verdict.findings
