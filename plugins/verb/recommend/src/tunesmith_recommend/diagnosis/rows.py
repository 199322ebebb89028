"""What was wrong with rows: those behind a spike of the loss, those that were cut, those whose answers have no end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunesmith_recommend.diagnosis.curve import median
from tunesmith_recommend.diagnosis.finding import Finding, rules
from tunesmith_recommend.diagnosis.training import Training

LENGTH = "max_length"


def spikes(one: Training) -> Iterator[Finding]:
    """The highest ones, each with the rows of the largest losses, where they are known."""
    rule, points = rules()["spike"], one.loss.points
    found = []
    for place, (step, value) in enumerate(points):
        begin = max(0, place - rule["around"])
        around = [other for at, (_, other) in enumerate(points[begin : place + rule["around"] + 1], begin) if at != place]
        if len(around) < rule["around"]:
            continue
        middle = median(around)
        spread = 1.4826 * median(abs(other - middle) for other in around)  # as a standard deviation (Hampel 1974)
        if value > middle + rule["spread"] * max(spread, 1e-9) and value > middle * rule["times"]:
            found.append((value / max(middle, 1e-9), step, value, middle))
    for _, step, value, middle in sorted(sorted(found, reverse=True)[: rule["most"]], key=lambda spike: spike[1]):
        rows = sorted(one.rows.get(step, ()), key=lambda row: -row[1])[: rule["rows"]]
        told = [f"the loss was {value:.4g} in step {step}, and {middle:.4g} in the steps around it"]
        if rows:
            told.append("its largest losses: " + ", ".join(f"row {number} ({loss:.4g})" for number, loss in rows))
        yield Finding.of(
            rule, one.step, f"a spike of the loss in step {step}", *told,
            fix="Look at these rows." if rows else "The step's losses of rows are not known.",
            command=one.preview([number for number, _ in rows]) if rows else "",
        )  # fmt: skip


def cut(one: Training) -> Iterator[Finding]:
    rule = rules()["rows.cut"]
    for text in one.warnings:
        if match := re.search(rule["pattern"], text):
            share = int(match["cut"]) / max(1, int(match["rows"]))
            if share >= rule["share"]:
                yield Finding.of(
                    rule, one.step, f"{match['cut']} of {match['rows']} rows were longer than `{LENGTH}`, {share:.0%} of them", text,
                    fix=f"`{LENGTH}: {match['longest']}` loses none; the plan says what memory that takes.",
                    command=one.command(**{LENGTH: int(match["longest"])}),
                )  # fmt: skip


def without_end(one: Training) -> Iterator[Finding]:
    rule = rules()["rows.end-token"]
    for text in one.warnings:
        if match := re.search(rule["pattern"], text):
            yield Finding.of(
                rule, one.step, f"the model does not learn to stop: the end token is not trained on in {match['of']}", text,
                fix="Raise `max_length` where answers are cut, or give the rows a chat template that ends its turns.",
                command=one.preview([1]),
            )  # fmt: skip
