"""What checks of steps that write files have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith_sdk.conformance.bench.subject import Subject, contents, differing
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun

Work = Callable[[Subject], Any]
KILLED = "killed"  #: the material: the work directory of a step that was killed
_TEXT = (".json", ".txt", ".md", ".yaml", ".yml", ".toml", ".jinja", ".jsonl", ".html")


def same_twice(subject: Subject, work: Work) -> Subject:
    """Do the work twice; the second subject.

    Raises:
        CheckFailed: they differ.
    """
    one, other = subject.elsewhere(), subject.elsewhere()
    work(one)
    work(other)
    if what := differing(contents(one.step.output), contents(other.step.output)):
        raise CheckFailed(f"two runs with one seed differ in {what}",
                          fix="Take randomness from `step.seed`; write no time, no path, no order of a set.")  # fmt: skip
    return other


def same_after_a_kill(subject: Subject, work: Work) -> None:
    """Do the work in the directory that a killed step left, and in a new one: the outputs must be equal.

    Raises:
        CheckFailed: they differ.
        NotRun: nobody was killed.
    """
    left = subject.request.materials.get(KILLED)
    if not left:
        raise NotRun("no step of it was killed before", where="together with step.crash-contained")
    again, anew = subject.elsewhere(Path(left)), subject.elsewhere()
    work(again)
    work(anew)
    if what := differing(contents(again.step.output), contents(anew.step.output)):
        raise CheckFailed(f"what it makes after a kill differs in {what}", fix="Check what `step.work` holds before going on with it.")


def check_portable(done: Subject) -> None:
    """No text file of the output may name a path of this machine.

    Raises:
        CheckFailed: one does.
    """
    output, paths = Path(done.step.output), [done.step.work, *([done.source().path] if done.record.accepts else [])]
    paths += [artifact["path"] for artifact in done.request.extra.get("composed", {}).get("inputs", {}).values()]
    for file in sorted(file for file in output.rglob("*") if file.is_file() and file.suffix in _TEXT):
        text = file.read_text(encoding="utf-8", errors="replace")
        for path in (output, *paths):
            if str(path) in text:
                raise CheckFailed(f"{file.name} names {path}", fix="Leave it out, or write it relative to the artifact.")


def check_format(subject: Subject, work: Work, planned: str = "") -> None:
    """The work's output is of a format that the provider declares, as far as that can be seen.

    Args:
        planned: the one that this work is to make, where others than the provider have a say in that.

    Raises:
        CheckFailed: it is not.
    """
    other = subject.elsewhere()
    result = work(other)
    output, declared = Path(other.step.output), (planned,) if planned else subject.record.produces
    format = (result.format if result else "") or (declared[0] if declared else "")
    if format not in declared:
        raise CheckFailed(f"it says that it made {format}, and declares {', '.join(declared)}", fix="Declare it in `produces`.")
    known = None if subject.record.main_kind else subject.record.facts.get("metrics")
    for name in result.metrics if result and known is not None else ():
        if name not in known:
            raise CheckFailed(f"it gives a metric `{name}` that its manifest does not declare", fix="Name it in the fact `metrics`.")
    files = contents(output)
    if not files:
        raise CheckFailed("it writes nothing to its output", fix="Write the artifact to `output`.")
    if format.startswith("model/") and format != "model/gguf" and (output / "config.json").is_file():
        json.loads((output / "config.json").read_text(encoding="utf-8"))
    if format == "model/gguf" and not any(path.read_bytes()[:4] == b"GGUF" for path in output.glob("*.gguf")):
        raise CheckFailed("no file of it is GGUF", found=", ".join(files), fix="Write a file that ends in .gguf.")
    if format == "model/hf" and not ((output / "config.json").is_file() and list(output.glob("*.safetensors"))):
        raise CheckFailed("a model/hf has a config.json and safetensors", found=", ".join(files), fix="Write both.")
