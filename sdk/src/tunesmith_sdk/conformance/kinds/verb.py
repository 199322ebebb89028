"""Checks of verbs: a record that composes, and a function that makes what it says."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from tunesmith.contracts import API, Artifact, Result, fits
from tunesmith.isolation.provider_import import load, settings_of
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk.conformance.author_functions import KEPT
from tunesmith_sdk.conformance.bench.files import check_format, check_portable, same_after_a_kill, same_twice
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check

_MADE = {"model/hf": "taught", "model/gguf": "gguf", "dataset/chat": "rows", "dataset/preference": "pairs"}


def _makes_something(record: ProviderRecord) -> bool:
    """Whether its work comes to an end by itself."""
    return not record.service


@action("verb", materials=("taught", "blank", "rows"))
def work(subject: Subject) -> Result | None:
    """Run it on what it reads."""
    record, step = subject.record, cast(Any, subject.step)
    state, what, remedy = subject.request.extra.get("refused", ("", "", ""))
    if state:
        raise CheckFailed(what, fix=remedy) if state == "failed" else NotRun(what, where=remedy)
    composed = subject.request.extra.get("composed")
    if composed:
        told = {**composed, "output": str(step.output), "work": str(step.work)}
        return cast(Result, load(record.target, record.distribution)(WorkerStep.from_json(told, step.notify, step.cancelled)))
    inputs = {}
    for entry in record.inputs:
        format = next(
            (name for name in _MADE if entry.accepts and fits(name, entry.accepts) and _MADE[name] in subject.request.materials), ""
        )
        if format:
            inputs[entry.name] = Artifact(format, subject.material(_MADE[format]))
        elif entry.required:
            inputs[entry.name] = subject.source()
    running = WorkerStep(
        name=step.name, output=step.output, work=step.work, inputs=inputs, seed=step.seed, placement=step.placement,
        settings=settings_of(record.settings, subject.values, record.distribution), notify=step.notify, cancelled=step.cancelled,
    )  # fmt: skip
    return load(record.target, record.distribution)(running)


@observer("verb")
def observe(subject: Subject) -> dict[str, Any]:
    """What it makes, says of it, and the names of what it leaves in its work directory; of a service, what a visitor finds."""
    composed = subject.request.extra.get("composed")
    if composed:
        extra = {**subject.request.extra, "composed": {**composed, "settings": subject.values}}
        subject = subject.with_request(dataclasses.replace(subject.request, extra=extra))
    if subject.record.service:
        return {"visit": _visited(subject)}
    result, root = work(subject), subject.step.work
    left = sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
    format = result.format if result else ""
    return {"result": result, "request.format": format, "left": [name for name in left if not name.startswith(KEPT)]}


def _visited(subject: Subject) -> Any:
    """What its author's visitor finds as soon as a service is up; then it is asked to stop."""
    step, found, told = cast(Any, subject.step), [], cast(Any, subject.step).notify
    visitors = ThreadPoolExecutor(1)

    def visit(ready: Any) -> Any:
        try:
            return subject.author("visit", ready)
        finally:
            step.cancelled.set()

    def hear(method: str, params: Any) -> None:
        if method == "$/ready" and not found:
            found.append(visitors.submit(visit, params))
        else:
            told(method, params)

    step.notify, step.cancelled = hear, threading.Event()
    with visitors:
        work(subject)
    return found[0].result() if found else None


@check("verb.composes", kind="verb", level="bronze", title="slots, inputs and formats of its record refer to what there is")
def composes(subject: Subject) -> None:
    record = subject.record
    slots = {slot.name for slot in record.slots} | {record.main_kind}
    known = subject.request.kinds or [*API]
    for kind in (*(slot.kind for slot in record.slots), *filter(None, [record.main_kind])):
        if kind not in known or kind == "verb":
            raise CheckFailed(f"it composes providers of the kind `{kind}`, which there is not", fix=f"Kinds: {', '.join(known)}.")
    for entry in record.inputs:
        if entry.of and entry.of not in slots:
            raise CheckFailed(
                f"its input `{entry.name}` asks the slot `{entry.of}`, which it has not", fix="Name one of its slots or its kind."
            )
    if record.produces_of and record.produces_of not in slots:
        raise CheckFailed(
            f"what comes out is said by the slot `{record.produces_of}`, which it has not", fix="Name one of its slots or its kind."
        )
    if not record.produces and not record.produces_of:
        raise CheckFailed("it does not say what comes out", fix="Give `produces` or `produces_of`.")
    if record.converts and not record.inputs:
        raise CheckFailed("it calls itself a conversion, and reads nothing", fix="Give it an input, or leave `converts` empty.")


@check("verb.makes-its-format", kind="verb", when=_makes_something, title="run on what it reads, it writes a format that it declares")
def makes(subject: Subject) -> None:
    check_format(subject, work, subject.request.extra.get("format", ""))


@check(
    "verb.reproducible",
    kind="verb",
    when=_makes_something,
    title="the same inputs and seed give the same bytes, without paths of this machine",
)
def reproducible(subject: Subject) -> None:
    check_portable(same_twice(subject, work))


@check(
    "verb.same-after-a-kill", kind="verb", when=_makes_something, level="gold", title="killed and started again, it gives the same artifact"
)
def after_a_kill(subject: Subject) -> None:
    same_after_a_kill(subject, work)
