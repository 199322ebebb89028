"""Views of runs that evaluated made-up models, as the journal and the store would give them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DECLARED = {"exact_match": {"better": "higher"}, "scored": {}, "unparsed": {}}


def evaluation(
    folder: Path, rights: list[bool | None], settings: dict[str, Any] | None = None, *, data: str = "d" * 64, evaluator: str = "generation"
) -> dict[str, Any]:  # fmt: skip
    """What an evaluator wrote: a sample for each of `rights`; None is one without a score."""
    folder.mkdir(parents=True)
    told = [
        {"question": f"question {at}", "expected": "yes", "answer": f"{'yes' if right else 'no'} <{folder.name}>"}
        | ({"not_scored": "unparsed"} if right is None else {"right": right, "exact_match": right})
        for at, right in enumerate(rights)
    ]
    (folder / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    scored = [right for right in rights if right is not None]
    metrics = {"exact_match": sum(scored) / len(scored), "scored": float(len(scored)), "unparsed": float(len(rights) - len(scored))}
    return {"folder": folder, "metrics": metrics, "settings": settings or {}, "data": data, "evaluator": evaluator}


def view(run: str, models: dict[str, str], evaluations: list[tuple[str, dict[str, Any]]]) -> Any:
    """
    Args:
        models: name -> digest of its artifact.
        evaluations: of a model's name each.
    """
    planned = [
        SimpleNamespace(name=name, format="model/hf", choices={}, inserted=name == "model", settings={"uri": "package://m"})
        for name in models
    ]
    steps = {name: _seen(digest, {}, {}) for name, digest in models.items()}
    artifacts = {}
    for at, (model, told) in enumerate(evaluations):
        name = f"score:{model}:{at}"
        record = SimpleNamespace(name=told["evaluator"], version="0.1.0", facts={"metrics": DECLARED})
        choices = {"evaluator": SimpleNamespace(record=record, settings=told["settings"])}
        planned.append(
            SimpleNamespace(
                name=name, group="score", format="report/metrics", choices=choices, source=model, seed=0, inserted=False, settings={}
            )
        )
        steps[name] = _seen("e" * 64, told["metrics"], {"data": told["data"]})
        artifacts[name] = SimpleNamespace(path=told["folder"])
    return SimpleNamespace(
        row=SimpleNamespace(id=run), plan=SimpleNamespace(steps=planned), steps=steps, artifact=artifacts.get, size=lambda name: 1 << 20
    )


def _seen(digest: str, metrics: dict[str, float], inputs: dict[str, str]) -> Any:
    return SimpleNamespace(row=SimpleNamespace(artifact=digest, state="done"), metrics=metrics, made=SimpleNamespace(inputs=inputs))
