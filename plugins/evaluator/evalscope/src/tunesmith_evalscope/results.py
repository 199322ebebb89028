"""What EvalScope gives, looked at before it is believed.

It reports success where a metric has failed (`metadata.metric_errors`, the value then 0) and where requests were refused (`ignore_errors`),
and scores an answer that its limit has ended, or in which it finds none, as wrong. Here a failed metric ends it, such rows are counted
apart, and the means are those of the others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts import TunesmithError
from tunesmith_evalscope.records import ANSWERS
from tunesmith_statistics import figure, mean

_REFUSED = {"model_length": "it is longer than the model reads", "content_filter": "the endpoint's filter has withheld it",
            "unknown": "the endpoint has refused it"}  # fmt: skip
_NEAR = 1e-3  # EvalScope rounds what it reports


class Asked(NamedTuple):
    """A question as EvalScope asks it: its place in a subset, and the turns."""

    subset: str
    index: int
    turns: list[dict[str, Any]]
    expected: str


def mend_lines(folder: Path) -> None:
    """Of answers that a killed step has left: a line that it tore, to which EvalScope would add the next one, is dropped."""
    for path in [*folder.glob("predictions/*/*.jsonl"), *folder.glob("reviews/*/*.jsonl")]:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            path.write_text("".join(lines[:-1]), encoding="utf-8")


def row_samples(asked: Sequence[Asked], folder: Path, name: str) -> list[dict[str, Any]]:
    """A record for each question, in the rows' order: what was asked, answered and expected, and the row's value of each metric."""
    answered, reviewed = (_lines(folder / part, name) for part in ("predictions", "reviews"))
    return [_sample(one, answered.get((one.subset, one.index)), reviewed.get((one.subset, one.index))) for one in asked]


def _lines(folder: Path, name: str) -> dict[tuple[str, int], dict[str, Any]]:
    found = {}
    for path in sorted(folder.glob(f"*/{name}_*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            found[path.stem[len(name) + 1 :], int(told["index"])] = told
    return found


def _sample(one: Asked, answered: Mapping[str, Any] | None, reviewed: Mapping[str, Any] | None) -> dict[str, Any]:
    question = next((str(turn["content"]) for turn in reversed(one.turns) if turn["role"] == "user"), "")
    told: dict[str, Any] = {"question": question, "expected": one.expected, "answer": ""}
    if answered is None:
        return {**told, "not_scored": "failed", "why": "there is no answer; EvalScope's error is in the log"}
    output = answered["model_output"]
    choice = output["choices"][0] if output.get("choices") else {}
    ended = str(choice.get("stop_reason", "unknown"))
    if output.get("error") or ended in _REFUSED:
        return {**told, "not_scored": "failed", "why": str(output.get("error") or _REFUSED[ended])[:300]}
    if reviewed is None:
        return {**told, "not_scored": "failed", "why": "EvalScope could not score it; its error is in the log"}
    score = reviewed["sample_score"]["score"]
    told |= {"answer": str(score["prediction"] or ""), **_failed(score)}
    if ended == "max_tokens":
        return {**told, "not_scored": "truncated"}
    if not str(score["extracted_prediction"] or "").strip():
        return {**told, "not_scored": "unparsed"}
    values = {key: float(value) for key, value in score["value"].items() if isinstance(value, (bool, int, float))}
    main = score["main_score_name"] if score["main_score_name"] in values else next(iter(values), "")
    return {**told, "parsed": str(score["extracted_prediction"]), "main": main, **values}


def _failed(score: Mapping[str, Any]) -> dict[str, str]:
    """Of a metric that has failed, though the score may say `success`: its name and error, as `broken`."""
    about = score.get("metadata") or {}
    errors = dict(about.get("metric_errors") or {})
    errors |= {name: why for name, why in about.items() if isinstance(why, str) and why.startswith("error:")}
    errors |= {name: f"it is {value}" for name, value in score["value"].items() if isinstance(value, float) and not math.isfinite(value)}
    if not errors and (score["status"] != "success" or not score["value"]):
        errors = {str(score["main_score_name"] or "score"): f"its status is {score['status']}"}
    return {"broken": "; ".join(f"{name}: {' '.join(str(why).split())[:200]}" for name, why in errors.items())} if errors else {}


def checked_metrics(folder: Path, name: str, samples: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Means over the rows that have a score, with their intervals; of rows without one none is part of a figure. Completes the samples.

    Raises:
        TunesmithError: TS-EVAL-009 where a metric has failed, or is of all rows together and some have no score.
    """
    if broken := next((sample["broken"] for sample in samples if "broken" in sample), ""):
        count = sum("broken" in sample for sample in samples)
        raise _has_failed(broken, f"It has failed on {count} of {len(samples)} rows, and EvalScope takes its value for 0.")
    scored = [sample for sample in samples if "not_scored" not in sample]
    names = [key for key, value in scored[0].items() if isinstance(value, float)]
    if unlike := next((sample for sample in scored if [key for key, value in sample.items() if isinstance(value, float)] != names), None):
        raise _has_failed(", ".join(names), f"Not all rows have them: {unlike['question']!r:.80}.")
    columns = {key: [float(sample[key]) for sample in scored] for key in names}
    found: dict[str, float] = {}
    for key, values in columns.items():
        found[key] = math.fsum(values) / len(values)
        if sure := mean(values) if name == ANSWERS else figure(values):
            found |= {f"{key}/low": sure.low, f"{key}/high": sure.high}
    main = scored[0]["main"]
    binary = name != ANSWERS and all(value in (0, 1) for value in columns[main])
    for sample in scored:
        value = sample[sample.pop("main")]
        sample |= {"right": bool(value)} if binary else {"score": value}
    return {main: found[main], **found, **_together(folder, name, found, len(samples) - len(scored))}


def _together(folder: Path, name: str, found: Mapping[str, float], missing: int) -> dict[str, float]:
    """What the report has beside means over rows; where every row is scored, its means are held against ours."""
    report = json.loads(next((folder / "reports").glob(f"*/{name}.json")).read_text(encoding="utf-8"))
    others: dict[str, float] = {}
    for metric in report["metrics"]:
        value, known = metric["score"], metric["identity"]
        of_rows = known["aggregation"] == "mean"
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise _has_failed(known["name"], f"It is {value}.")
        if (of_rows and missing) or any(abs(value - one) <= _NEAR for one in found.values()):
            continue
        if missing:
            raise _has_failed(known["name"], f"{missing} rows have no score, and it is no mean from which they could be left out.")
        others["@".join([known["name"], *([] if of_rows else [known["aggregation"]])])] = float(value)
    return others


def _has_failed(name: str, why: str) -> TunesmithError:
    return TunesmithError(
        "TS-EVAL-009", f"EvalScope's metric has failed: {name}", why=why,
        fix="See the step's log for what EvalScope says of it; raise `max_tokens` where answers were cut; or name another benchmark.",
    )  # fmt: skip
