"""Checks of artifact checks: they pass what is sound, leave files and result alone, say the same twice, and refuse by a code."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Result, TunesmithError
from tunesmith_sdk.conformance import CheckFailed, NotRun, Subject, action, check, observer

GIVEN = Result(format="model/hf", metrics={"bytes": 3.0}, meta={"rows": 2})  # what a step would publish


def sound(subject: Subject) -> Subject:
    """The subject in a step that made a sound model of another: the same weights, but for the last bits."""
    other = subject.elsewhere()
    parent = subject.material("taught")
    step: Any = other.step
    step.inputs, step.facts = {"model": Artifact("model/hf", parent)}, {"edge": "update", "produces": ["model/hf"]}
    shutil.copytree(parent, step.output, dirs_exist_ok=True)
    _shift(step.output)
    return other


def _shift(directory: Path) -> None:
    """Another last bit for every number: no library is needed that the plugin's environment may lack."""
    import numpy as np

    from tunesmith_audit.files.tensors import tensors_of

    for tensor in tensors_of(directory).values():
        width = tensor.stored().itemsize
        if tensor.floating and tensor.count:
            np.memmap(tensor.path, f"u{width}", "r+", tensor.start, (tensor.count,))[:] ^= 1


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


@action("artifact_check", materials=("taught",))
def work(subject: Subject) -> None:
    other = sound(subject)
    subject.build().check(other.step, GIVEN)


@observer("artifact_check")
def observe(subject: Subject) -> Mapping[str, Any]:
    """What it gives to publish; what it decides and refuses is seen by the kit."""
    if importlib.util.find_spec("transformers") is None:
        raise NotRun("its environment has no transformers to run models by", where="the host's environment")
    other = sound(subject)
    return {"result": dict(subject.build().check(other.step, GIVEN).meta)}


@check("artifact_check.passes-what-is-sound", kind="artifact_check", title="a model that computes what its parent does is published")
def passes(subject: Subject) -> Iterator[CheckFailed]:
    other = sound(subject)
    before = files(other.step.output)
    try:
        result = subject.build().check(other.step, GIVEN)
    except TunesmithError as error:
        raise CheckFailed("it refuses a copy of its parent", found=str(error), fix="Ask only for what every sound artifact has.") from None
    if files(other.step.output) != before:
        yield CheckFailed("it changes the files that it looks at", fix="Write to `step.work` alone.")
    if (result.format, dict(result.metrics)) != (GIVEN.format, GIVEN.metrics) or not GIVEN.meta.items() <= result.meta.items():
        yield CheckFailed("it loses what the step has to tell", found=str(result), fix="`replace(result, meta={**result.meta, ...})`.")


@check("artifact_check.same-twice", kind="artifact_check", title="it gives the same result for the same artifact")
def same_twice(subject: Subject) -> None:
    one, other = (subject.build().check(made.step, GIVEN) for made in (sound(subject), sound(subject)))
    if one != other:
        raise CheckFailed("two looks at one artifact give two results", found=f"{one} and {other}", fix="No times and no paths in `meta`.")


@check(
    "artifact_check.refuses-by-code", kind="artifact_check", title="what it can't read it refuses by a coded error, and the files are kept"
)  # fmt: skip
def refuses(subject: Subject) -> None:
    other = sound(subject)
    file = other.step.output / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    before = set(files(other.step.output).values())
    try:
        subject.build().check(other.step, GIVEN)
    except TunesmithError:
        kept = set(files(other.step.work).values()) | set(files(other.step.output).values())
        if not before <= kept:
            raise CheckFailed("it refuses an artifact, and its files are gone", fix="Move them to `step.work`, and say where.") from None
    except Exception as error:
        raise CheckFailed(
            f"a file that ends too early makes it raise {type(error).__name__}",
            found=str(error),
            fix="Raise a `TunesmithError` with a code.",
        ) from None
