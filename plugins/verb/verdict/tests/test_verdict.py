"""A verdict is told from rows: a win and a loss count where they are beyond chance."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith.contracts import Artifact, UserError
from tunesmith_verdict.settings import VerdictSettings
from tunesmith_verdict.verdict import FILE, run


def report(folder: Path, areas: dict[str, list[bool]], digest: str = "same") -> Artifact:
    """Args:
    areas: name -> which of its rows are right."""
    folder.mkdir()
    told = [
        {"question": f"{area} {at}", "expected": "x", "answer": str(right), "right": right, "area": area}
        for area, rights in areas.items()
        for at, right in enumerate(rights)
    ]
    (folder / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    (folder / "metrics.json").write_text(json.dumps({"accuracy": sum(one["right"] for one in told) / len(told), "corpus": 0.123}))
    (folder / "asked.json").write_text(json.dumps({"digest": digest}))
    return Artifact("report/metrics", folder, folder.name, {}, {"name": "made-up"}, {})


BASE = {"task": [True] * 10 + [False] * 30}
WON = {"task": [True] * 30 + [False] * 10}
ALIKE = {"task": [False] + [True] * 11 + [False] * 28}
KEPT = {"arithmetic": [True] * 15 + [False] * 5, "language": [True] * 20}
LOST = {"arithmetic": [True] * 15 + [False] * 5, "language": [True] * 10 + [False] * 10}
FEW = {"arithmetic": [True] * 14 + [False] * 6, "language": [True] * 18 + [False] * 2}


def verdict(tmp_path: Path, after: dict, regression: dict | None = None, **settings) -> tuple[dict, dict]:
    inputs = {"report": report(tmp_path / "after", after), "base": report(tmp_path / "before", BASE)}
    if regression:
        inputs |= {"regression": report(tmp_path / "other", regression), "regression_base": report(tmp_path / "other_base", KEPT)}
    output = tmp_path / "output"
    output.mkdir()
    settings = VerdictSettings(**{"metric": "accuracy", **settings})
    result = run(SimpleNamespace(inputs=inputs, output=output, settings=settings, log=lambda *told: None))
    return result.metrics, json.loads((output / FILE).read_text())


def test_a_win_without_a_loss_is_one(tmp_path):
    metrics, told = verdict(tmp_path, WON, KEPT)
    assert (metrics["verdict"], metrics["won"], metrics["areas_lost"]) == (1.0, 1.0, 0.0)
    assert metrics["difference"] == pytest.approx(0.5)
    assert 0 < metrics["difference/low"] < 0.5
    assert told["reports"] == {"report": "after", "base": "before", "regression": "other", "regression_base": "other_base"}


def test_a_win_within_chance_is_none(tmp_path):
    metrics, _ = verdict(tmp_path, ALIKE, KEPT)
    assert (metrics["verdict"], metrics["won"]) == (0.0, 0.0)


def test_a_loss_elsewhere_spoils_a_win_and_is_told_with_its_questions(tmp_path):
    metrics, told = verdict(tmp_path, WON, LOST)
    assert (metrics["verdict"], metrics["won"], metrics["areas_lost"]) == (0.0, 1.0, 1.0)
    (area,) = [area for area in told["areas"] if area["lost_beyond_chance"]]
    assert (area["name"], area["lost"][0]) == ("language", "language 10")


def test_a_loss_within_chance_spoils_nothing(tmp_path):
    assert verdict(tmp_path, WON, FEW)[0]["verdict"] == 1.0


def test_worse_at_the_task_is_no_win_and_lower_may_be_better(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    worse = {"task": [True] * 1 + [False] * 39}
    assert verdict(tmp_path / "a", worse)[0]["verdict"] == 0.0
    assert verdict(tmp_path / "b", worse, better="lower")[0]["verdict"] == 1.0


def test_evaluations_that_did_not_ask_the_same_are_refused(tmp_path):
    with pytest.raises(UserError, match="TS-GATE-003"):
        verdict(tmp_path, {"task": [True] * 39})
    inputs = {"report": report(tmp_path / "x", WON, "one"), "base": report(tmp_path / "y", BASE, "two")}
    with pytest.raises(UserError, match="did not ask the same"):
        run(SimpleNamespace(inputs=inputs, output=tmp_path, settings=VerdictSettings(metric="accuracy"), log=print))


@pytest.mark.parametrize("metric", ["nothing", "corpus"])
def test_a_metric_that_is_not_there_or_does_not_follow_from_rows_is_refused(tmp_path, metric):
    with pytest.raises(UserError, match="TS-GATE-003"):
        verdict(tmp_path, WON, metric=metric)
