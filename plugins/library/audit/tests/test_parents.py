"""A model of several others: how far it is from each is told; what says no number is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_audit.outputs import parents
from tunesmith_audit.outputs.parents import told_apart
from tunesmith_audit.report_text import told
from tunesmith_audit.settings import AuditSettings
from tunesmith_audit.verdict import Verdict


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that say the number in their folder's name, of two words: not a model's own code, which the tests of a merge run."""
    import torch

    def said(directory: Path, ids, device: str):
        rows = [torch.tensor([[0.0, float(directory.name)]]).repeat(len(row), 1) for row in ids]
        return [row.log_softmax(-1) for row in rows]

    monkeypatch.setattr(parents, "said", said)
    monkeypatch.setattr(parents, "ids_of", lambda *_: ([[0, 1, 0]] + [[at % 2, 1, 1] for at in range(5)], Verdict(figures={"prompts": 6})))


def test_it_is_told_apart_from_each_of_its_models(models: None) -> None:
    found = told_apart({"model": Path("1"), "tuned": Path("3")}, Path("1"), "cpu", AuditSettings())
    assert found.ok
    near, far = (found.figures["parents"][name] for name in ("model", "tuned"))
    assert near["kl"] == 0.0 < far["kl"]
    assert near["perplexity_ratio"] == pytest.approx(1.0)
    assert "from `model` it is 0" in told(found, AuditSettings())[1]
    assert "; from `tuned` it is" in told(found, AuditSettings())[1]


def test_what_says_no_number_is_refused(models: None) -> None:
    found = told_apart({"model": Path("1")}, Path("nan"), "cpu", AuditSettings())
    assert [finding.code for finding in found.findings] == ["TS-GATE-002"]
