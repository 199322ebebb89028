"""What came out: metrics per subject, gates, curves, sizes, samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tunesmith_report.chart import curve
from tunesmith_report.number_format import change, number, size, text

Facts = Mapping[str, Any]


def scores(facts: Facts) -> str:
    """A table per group: metrics down, subjects across, the first subject being what the others are compared with."""
    out = ""
    for table in facts["scores"]:
        gates = "".join(_gate(gate) for gate in facts["gates"] if gate["group"] == table["group"])
        out += f"<h2>{text(table['group'])} <small>metrics of each subject</small></h2>{_score_table(table)}{gates}"
    return out


def _gate(gate: Facts) -> str:
    mark = '<span class="yes">✓</span>' if gate["passed"] else '<span class="no">✗</span>'
    return f'<p class="gate">{mark} <span>Gate: {text(gate["text"].replace("`", ""))}</span></p>'


def _score_table(table: Facts) -> str:
    head = "".join(f'<th class="num">{text(subject)}</th>' for subject in table["subjects"])
    body = "".join(_score_row(name, row, table) for name, row in table["metrics"].items())
    return f'<div class="scroll"><table><thead><tr><th>metric</th>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _score_row(name: str, row: Mapping[str, float], table: Facts) -> str:
    better = table["better"].get(name, "")
    finite = [value for value in row.values() if math.isfinite(value)]
    best = (min(finite) if better == "lower" else max(finite)) if finite and better and len(set(finite)) > 1 else None
    base = row.get(table["subjects"][0])
    cells = []
    for index, subject in enumerate(table["subjects"]):
        value = row.get(subject)
        if value is None:
            cells.append('<td class="num muted">–</td>')
            continue
        sub = change(value, base) if index and base is not None else ""
        good = (value < base) == (better == "lower") if sub and better and base is not None and value != base else None
        colour = {True: " up", False: " down", None: ""}[good]
        cells.append(
            f'<td class="num{" best" if value == best else ""}">{number(value)}'
            + (f'<span class="sub{colour}">{sub}</span>' if sub else "")
            + "</td>"
        )
    hint = f'<span class="sub">{text(better)} is better</span>' if better else ""
    return f"<tr><td>{text(name)}{hint}</td>{''.join(cells)}</tr>"


def curves(facts: Facts) -> str:
    """The series that steps reported, losses first and large."""
    out = ""
    for step in dict.fromkeys(series["step"] for series in facts["curves"]):
        series = [s for s in facts["curves"] if s["step"] == step]
        series.sort(key=lambda s: (s["name"] != "loss", "loss" not in s["name"], s["name"]))
        figures = [curve(s["name"], s["points"], wide=index == 0) for index, s in enumerate(series)]
        out += f'<h2>{text(step)} <small>while it ran</small></h2><div class="charts">{"".join(figures)}</div>' if any(figures) else ""
    return out


def sizes(facts: Facts) -> str:
    """Models and adapters by size."""
    models = [s for s in facts["steps"] if s["size"] and s["format"].split("/")[0] in ("model", "adapter")]
    if not models:
        return ""
    largest = max(step["size"] for step in models)
    rows = "".join(
        f'<div><span>{text(step["name"])} <span class="muted">{text(step["format"])}</span></span>'
        f'<i style="width:{max(0.4, 100 * step["size"] / largest):.1f}%"></i><span class="num">{size(step["size"])}</span></div>'
        for step in models
    )
    return f'<h2>Sizes</h2><div class="sizes">{rows}</div>'


def samples(facts: Facts) -> str:
    """Questions with what every subject answered, those first where they differ."""
    out = ""
    for table in facts["samples"]:
        subjects = list(dict.fromkeys(subject for row in table["rows"] for subject in row["answers"]))
        rows = sorted(table["rows"], key=lambda row: len({str(a["right"]) for a in row["answers"].values()}) < 2)
        head = "".join(f"<th>{text(subject)}</th>" for subject in subjects)
        body = "".join(_sample(row, subjects) for row in rows)
        out += (
            f"<h2>Samples <small>{text(table['evaluator'])} of {text(table['group'])}; {len(rows)} of {table['count']} rows</small></h2>"
            f'<div class="scroll"><table class="samples"><thead><tr><th>question</th><th>expected</th>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )
    return out


def completions(facts: Facts) -> str:
    """What a model in training answered, a row for each time it was asked."""
    out = ""
    for table in facts["completions"]:
        head = "".join(f"<th>{text(prompt)}</th>" for prompt in table["prompts"])
        body = "".join(
            f"<tr><td>{_when(row['at'])}</td>"
            + "".join(f"<td>{text(row['answers'].get(prompt, '–'))}</td>" for prompt in table["prompts"])
            + "</tr>"
            for row in table["rows"]
        )
        out += (
            f"<h2>Answers while training <small>{text(table['step'])}; {len(table['rows'])} of {table['count']} times</small></h2>"
            f'<div class="scroll"><table class="samples"><thead><tr><th>when</th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )
    return out


def _sample(row: Facts, subjects: list[str]) -> str:
    return (
        f"<tr><td>{text(row['question'])}</td><td>{text(row['expected'])}</td>"
        + "".join(_answer(row["answers"].get(subject)) for subject in subjects)
        + "</tr>"
    )


def _answer(answer: Facts | None) -> str:
    if answer is None:
        return '<td class="muted">–</td>'
    mark = {True: '<span class="yes">✓</span> ', False: '<span class="no">✗</span> ', None: ""}[answer["right"]]
    score = f'<span class="sub">score {number(answer["score"])}</span>' if answer["score"] is not None and answer["right"] is None else ""
    return f"<td>{mark}{text(answer['answer'])}{score}</td>"


def _when(step: int) -> str:
    return f"step {step}" if step else "before training"
