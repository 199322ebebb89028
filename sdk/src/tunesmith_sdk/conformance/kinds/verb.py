"""Checks of verbs: a record that composes, and a function that makes what it says."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import API, Artifact, Result, fits
from tunesmith.isolation.loading import load, settings_of
from tunesmith.isolation.step import WorkerStep
from tunesmith_sdk.conformance.catalog import action
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.files import check_format, check_portable, same_after_a_kill, same_twice
from tunesmith_sdk.conformance.subject import Subject

_MADE = {"model/hf": "taught", "model/gguf": "gguf", "dataset/chat": "rows", "dataset/preference": "pairs"}


def alone(record: Any) -> bool:
    """Whether it needs no other provider."""
    return not record.slots and not record.main_kind and not record.service


@action("verb")
def work(subject: Subject) -> Result | None:
    """Run it on what it reads."""
    record = subject.record
    if not alone(record):
        raise NotRun("it composes providers of other plugins", where="a test with a pipeline of its author's")
    inputs = {}
    for entry in record.inputs:
        format = next(
            (name for name in _MADE if entry.accepts and fits(name, entry.accepts) and _MADE[name] in subject.request.materials), ""
        )
        if format:
            inputs[entry.name] = Artifact(format, subject.material(_MADE[format]))
        elif entry.required:
            inputs[entry.name] = subject.source()
    step: Any = subject.step
    running = WorkerStep(
        name=step.name, output=step.output, work=step.work, inputs=inputs, seed=step.seed, placement=step.placement,
        settings=settings_of(record.settings, subject.values, record.distribution), notify=step._notify, cancelled=step.cancelled,
    )  # fmt: skip
    return load(record.target, record.distribution)(running)


@check("verb.composes", kind="verb", level="bronze", title="slots, inputs and formats of its record refer to what there is")
def composes(subject: Subject) -> None:
    record = subject.record
    slots = {slot.name for slot in record.slots} | {record.main_kind}
    for kind in (*(slot.kind for slot in record.slots), *filter(None, [record.main_kind])):
        if kind not in API or kind == "verb":
            raise CheckFailed(f"it composes providers of the kind `{kind}`, which there is not", fix=f"Kinds: {', '.join(API)}.")
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


@check("verb.makes-its-format", kind="verb", when=alone, title="run on what it reads, it writes a format that it declares")
def makes(subject: Subject) -> None:
    check_format(subject, work)


@check("verb.reproducible", kind="verb", when=alone, title="the same inputs and seed give the same bytes, without paths of this machine")
def reproducible(subject: Subject) -> None:
    check_portable(same_twice(subject, work))


@check("verb.same-after-a-kill", kind="verb", when=alone, level="gold", title="killed and started again, it gives the same artifact")
def after_a_kill(subject: Subject) -> None:
    same_after_a_kill(subject, work)
