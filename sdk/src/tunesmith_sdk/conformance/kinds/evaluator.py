"""Checks of evaluators: the numbers that they declare, the same every time, better for what is better."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Evaluation, fits
from tunesmith.plugins.records import ProviderRecord
from tunesmith_data.api import Row, message, read_rows, text_of
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.materials.materials import FORMATS
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint
from tunesmith_sdk.testing.datasets import dataset

#: scenes: an endpoint for what takes models, too; one that fails at first
ENDPOINT, FAILING = "an endpoint", "an endpoint that fails at first"
KNOWN = 1e-6  #: largest difference from a known answer, relative where that is above 1
CHAT, PROMPT = "dataset/chat", "dataset/prompt"


@contextmanager
def _examinee(subject: Subject, *, good: bool) -> Iterator[Artifact]:
    """Something to evaluate that knows the rows, or knows nothing; the author's, where the author gives one."""
    given = subject.asked("examinee", _rows(subject), good)
    if given is not None:
        with closing(given):
            yield next(given)
    elif fits("model/hf", subject.record.accepts):
        yield Artifact("model/hf", subject.material("taught" if good else "blank"))
    elif fits("endpoint/openai", subject.record.accepts):
        with _scripted(subject, good=good) as endpoint:
            yield endpoint
    else:
        raise NotRun(f"the kit makes none of {', '.join(subject.record.accepts)}", where="define `examinee` in the author's file")


@contextmanager
def _scripted(subject: Subject, *, good: bool, wordy: bool = False, failures: int = 0) -> Iterator[Artifact]:
    if _format(subject) not in (CHAT, PROMPT, ""):
        raise NotRun(
            f"the kit's endpoints answer questions, and its rows are {_format(subject)}", where="define `examinee` in the author's file"
        )
    data = _rows(subject)
    rows = list(read_rows(data.path)) if data else []  # who reads none asks what it likes
    answers = dict(map(_answered, rows))
    if wordy and answers:
        first = next(iter(answers))
        answers[first] = f"It is known: {answers[first]}"
    with scripted_endpoint(answers if good else {}, subject.folder("endpoint"), failures=failures) as endpoint:
        known = subject.request.materials.get("taught", "!")
        yield endpoint if known.startswith("!") else dataclasses.replace(endpoint, refs={"model": Artifact("model/hf", Path(known))})


def _answered(row: Row) -> tuple[str, str]:
    """A row's question, and what who knows the row says: its answer; of a prompt what its column `answer` has."""
    if row["messages"][-1]["role"] == "assistant":
        return text_of(row["messages"][-2]), text_of(row["messages"][-1])
    return text_of(row["messages"][-1]), str(row.get("columns", {}).get("answer", ""))


def _evaluated(subject: Subject, *, good: bool = True) -> Evaluation:
    with _examinee(subject, good=good) as examinee:
        return subject.build().evaluate(examinee, _rows(subject), subject.step)


def _rows(subject: Subject) -> Artifact | None:
    """Of a format that it reads, the author's where the author gives some; None for one that reads none."""
    given = subject.asked("rows")
    if given is not None:
        return dataset(subject.folder("rows") / "given", given, subject.record.facts["data"][0])
    return Artifact(_format(subject), subject.material(FORMATS[_format(subject)])) if _format(subject) else None


def _format(subject: Subject) -> str:
    """The first that it reads and the kit, or its author, has rows in; empty for one that reads none."""
    read = subject.record.facts.get("data", ())
    if read and subject.asked("rows") is not None:
        return str(read[0])
    found = next((format for format in read if format in FORMATS), "")
    if read and not found:
        raise NotRun(f"the kit has no rows in {', '.join(read)}", where="a later version of the kit")
    return found


def _reads_conversations(record: ProviderRecord) -> bool:
    """Whether its rows have answers that can be others."""
    return next((format for format in record.facts.get("data", ()) if format in FORMATS), "") == CHAT


@action("evaluator", materials=("taught", "blank", *(name for format, name in FORMATS.items() if format.startswith("dataset/"))))
def work(subject: Subject) -> None:
    """Evaluate something that knows the rows."""
    evaluation = _evaluated(subject)
    (subject.step.output / "metrics.json").write_text(json.dumps(dict(evaluation.metrics), sort_keys=True))


@observer("evaluator", scenes=(ENDPOINT, FAILING))
def observe(subject: Subject) -> dict[str, Any]:
    """What it measures: of a model where it takes one, else of an endpoint, one of whose answers says more than is asked."""
    scene = subject.effect.get("scene")
    if scene is None and (fits("model/hf", subject.record.accepts) or not fits("endpoint/openai", subject.record.accepts)):
        return {"evaluation": _evaluated(subject)}
    with _scripted(subject, good=True, wordy=True, failures=scene == FAILING) as examinee:
        return {"evaluation": subject.build().evaluate(examinee, _rows(subject), subject.step)}


@check(
    "evaluator.reports-what-it-declares", kind="evaluator", title="its metrics are those of its manifest, finite, and its samples are JSON"
)
def reports(subject: Subject) -> Iterator[CheckFailed]:
    evaluation = _evaluated(subject)
    declared = subject.record.facts.get("metrics", {})
    if not evaluation.metrics:
        yield CheckFailed("it gives no metric", fix="Return an `Evaluation` with metrics.")
    for name, value in evaluation.metrics.items():
        if name not in declared:
            yield CheckFailed(f"it gives a metric `{name}` that its manifest does not declare", fix="Name it in the fact `metrics`.")
        if not math.isfinite(value):
            yield CheckFailed(f"its metric `{name}` is {value}", fix="Say by a coded error what can't be measured.")
    try:
        json.dumps(list(evaluation.samples))
    except (TypeError, ValueError) as error:
        yield CheckFailed("its samples are no JSON", found=str(error), fix="Put strings, numbers, lists and mappings into them.")


def _timed(record: ProviderRecord) -> bool:
    """Whether its metrics are times, which no two evaluations share."""
    return record.facts.get("timed") is True


@check(
    "evaluator.deterministic",
    kind="evaluator",
    when=lambda record: not _timed(record),
    title="asked twice, it gives the same numbers and samples",
)
def deterministic(subject: Subject) -> Iterator[CheckFailed]:
    one, other = _evaluated(subject), _evaluated(subject)
    if dict(one.metrics) != dict(other.metrics):
        yield CheckFailed(
            "two evaluations differ",
            found=f"{dict(one.metrics)} and {dict(other.metrics)}",
            fix="Draw from `step.seed`; ask at temperature 0.",
        )
    if json.dumps(list(one.samples), sort_keys=True) != json.dumps(list(other.samples), sort_keys=True):
        yield CheckFailed("the samples of two evaluations differ", fix="Keep the rows' order; write no times.")


def _metrics(record: ProviderRecord, *, reference: bool) -> dict[str, Any]:
    """The metrics that are measured against the rows' answers, or without them."""
    return {name: entry for name, entry in record.facts.get("metrics", {}).items() if entry.get("reference", True) is reference}


def _directions(record: ProviderRecord) -> dict[str, str]:
    return {name: entry["better"] for name, entry in _metrics(record, reference=True).items() if entry.get("better")}


@check(
    "evaluator.prefers-the-better",
    kind="evaluator",
    when=lambda record: bool(_directions(record)),
    title="what knows the rows gets a better score than what does not",
)
def prefers(subject: Subject) -> Iterator[CheckFailed]:
    good, bad = _evaluated(subject).metrics, _evaluated(subject, good=False).metrics
    for name, better in _directions(subject.record).items():
        if name in good and name in bad and not (good[name] > bad[name] if better == "higher" else good[name] < bad[name]):
            yield CheckFailed(
                f"`{name}` is {good[name]:g} for what knows the rows, {bad[name]:g} for what does not; {better} is better",
                fix="See whether `better` is the right way round, and what is compared with what; one that looks at no expected answer "
                'says so: `"reference": False`.',
            )  # fmt: skip


@check(
    "evaluator.needs-no-reference",
    kind="evaluator",
    when=lambda record: bool(_metrics(record, reference=False)) and not _timed(record) and _reads_conversations(record),
    title="a metric that is declared to need no reference stays the same with other answers in the rows",
)
def needs_no_reference(subject: Subject) -> Iterator[CheckFailed]:
    given = _rows(subject)
    assert given is not None
    rows = list(read_rows(given.path))
    others = [{**row, "messages": [*row["messages"][:-1], message("assistant", f"{number} zebras")]} for number, row in enumerate(rows)]
    changed = dataset(subject.folder("others") / "rows", others)
    with _examinee(subject, good=True) as examinee:
        one, other = (subject.build().evaluate(examinee, data, subject.step).metrics for data in (given, changed))
    for name in _metrics(subject.record, reference=False):
        if one.get(name) != other.get(name):
            yield CheckFailed(f"`{name}` is {one.get(name)}, and with other answers in the rows {other.get(name)}",
                              fix='Take `"reference": False` from the fact `metrics`.')  # fmt: skip


@check(
    "evaluator.known-answers", kind="evaluator", level="gold", title="on its author's cases its metrics are the numbers known beforehand"
)
def known_answers(subject: Subject) -> Iterator[CheckFailed]:
    cases: Any = subject.author("known_answers")
    for number, (examinee, rows, expected) in enumerate(cases, 1):
        data = dataset(subject.folder("known") / str(number), rows, _format(subject) or CHAT)
        found = subject.build().evaluate(examinee, data, subject.step).metrics
        for name, value in expected.items():
            limit = subject.tolerance("evaluator.known-answers", KNOWN) * max(1.0, abs(value))
            if not abs(found.get(name, math.nan) - value) <= limit:
                yield CheckFailed(f"case {number}: `{name}` should be {value:g} and is {found.get(name)}", fix="See how rows are counted.")
