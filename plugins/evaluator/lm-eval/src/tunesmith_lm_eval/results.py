"""What lm-eval gives, looked at before it is believed: every metric is there and a number, and what was cut is no answer.

lm-eval itself cuts the beginning off a question that is too long and scores what is left, and scores an answer that its limit has ended as
any other. Such rows are counted as truncated here, and the means are those of the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import TunesmithError
from tunesmith_statistics import figure

_SAME = 1e-9


def row_samples(task: Any, model: Any, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A record for each row, in the rows' order: what was asked, answered and expected, and the row's value of each metric; of several
    filters (ways to find an answer) the first one's, the others' behind ``@``."""
    rows: dict[int, dict[str, Any]] = {}
    first = lines[0]["filter"]
    for line in lines:
        row = rows.setdefault(line["doc_id"], _record(task, model, line) if line["filter"] == first else {})
        for name in line["metrics"]:
            value = line[name]
            if isinstance(value, (bool, int, float)):
                row[_name(name, line["filter"], first)] = value
    found = [rows[at] for at in sorted(rows)]
    main = next((name for name in lines[0]["metrics"] if all(isinstance(row.get(name), (bool, int, float)) for row in found)), "")
    binary = bool(main) and all(row[main] in (0, 1) for row in found)
    for row in found:
        if not all(math.isfinite(value) for value in row.values() if isinstance(value, float)):
            row["not_scored"] = "failed"
        elif main and "not_scored" not in row:
            row |= {"right": bool(row[main])} if binary else {"score": float(row[main])}
    return found


def _record(task: Any, model: Any, line: Mapping[str, Any]) -> dict[str, Any]:
    requests, kind = line["arguments"], task.OUTPUT_TYPE
    question = str(line["doc"].get("question") or requests[0][0])
    told: dict[str, Any] = {"question": question, "expected": str(line["target"]), "answer": str(line["filtered_resps"][0])}
    if kind == "multiple_choice":
        choices = [str(request[1]).strip() for request in requests][: len(line["filtered_resps"])]
        likely = [float(answer[0]) for answer in line["filtered_resps"]]
        told |= {"answer": choices[likely.index(max(likely))], "log_probs": likely}
        if isinstance(line["target"], int) and 0 <= line["target"] < len(choices):
            told["expected"] = choices[line["target"]]
        if not _names_a_choice(line["target"], choices):
            told["not_scored"] = "failed"
    return told | ({"not_scored": "truncated"} if _cut(model, kind, requests, line["resps"]) else {})


def _names_a_choice(target: Any, choices: Sequence[str]) -> bool:
    """Whether what is right is one of the choices; lm-eval counts a question as answered wrongly where it is none."""
    wanted = target if isinstance(target, (list, tuple)) else [target]
    return any(one.strip() in choices if isinstance(one, str) else 0 <= one < len(choices) for one in wanted)


def _cut(model: Any, kind: str, requests: Sequence[Sequence[Any]], answers: Sequence[Any]) -> bool:
    """Whether a question was longer than the model reads, or an answer was ended by its limit."""
    if kind in ("loglikelihood", "multiple_choice"):
        return any(len(model.tok_encode(str(one[0]) + str(one[1]))) > model.max_length + 1 for one in requests)
    if kind == "generate_until":
        most = int(requests[0][1].get("max_gen_toks", model.max_gen_toks))
        asked = len(model.tok_encode(str(requests[0][0])))
        return asked > model.max_length - most or len(model.tok_encode(str(answers[0][0]))) >= most
    return False  # a text is read in windows, all of it


def checked_metrics(task: Any, results: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """By name; of rows without a score none is part of a mean.

    Raises:
        TunesmithError: TS-EVAL-009 where one is missing or no number, or can't be told of the rows that have a score.
    """
    given = [key for key, value in results.items() if "," in key and "_stderr," not in key and not isinstance(value, str)]
    first = given[0].split(",")[1] if given else ""
    found = {_name(*key.split(",", 1), first): results[key] for key in given}
    wanted = [str(one["metric"]) for one in task.config.metric_list or ()]
    for name in [*wanted, *found]:
        value = found.get(name)
        if value is None or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise TunesmithError(
                "TS-EVAL-009", f"lm-eval's metric `{name}` has failed", why=f"It is {'missing' if value is None else value}.",
                fix="See the step's log for what lm-eval says of it; leave it out of the task's `metric_list`, or fix what it needs.",
            )  # fmt: skip
    return {name: _of_scored(name, float(value), samples) for name, value in found.items()}


def _of_scored(name: str, value: float, samples: Sequence[Mapping[str, Any]]) -> float:
    scored = [sample for sample in samples if "not_scored" not in sample]
    if len(scored) == len(samples):
        return value
    if _is_mean(name, value, samples):
        return math.fsum(sample[name] for sample in scored) / len(scored)
    raise TunesmithError(
        "TS-EVAL-009", f"lm-eval's metric `{name}` is one of rows that have no score, too",
        why=f"{len(samples) - len(scored)} of {len(samples)} rows were cut, and it is no mean from which they could be left out.",
        fix="Raise `max_length`, or the task's `max_gen_toks`; or leave those rows out of the data.",
    )  # fmt: skip


def interval_metrics(metrics: Mapping[str, float], samples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The bounds of the 95 % interval of each metric that is a mean over rows."""
    scored = [sample for sample in samples if "not_scored" not in sample]
    found: dict[str, float] = {}
    for name, value in metrics.items():
        if not _is_mean(name, value, scored):
            continue
        if sure := figure([float(sample[name]) for sample in scored]):
            found |= {f"{name}/low": sure.low, f"{name}/high": sure.high}
    return found


def _is_mean(name: str, value: float, samples: Sequence[Mapping[str, Any]]) -> bool:
    values = [sample.get(name) for sample in samples]
    if not values or not all(isinstance(one, (bool, int, float)) for one in values):
        return False
    return abs(math.fsum(values) / len(values) - value) <= _SAME * max(1.0, abs(value))  # type: ignore[arg-type]


def _name(metric: str, filter_: str, first: str) -> str:
    return metric if filter_ == first else f"{metric}@{filter_}"
