"""Checks of exporters: a sound artifact of the format they name, the same every time, from a source that they leave alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.contracts import Result
from tunesmith_sdk.conformance.bench.files import check_format, check_portable, same_after_a_kill, same_twice
from tunesmith_sdk.conformance.bench.subject import Subject, contents, differing
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check

PRECISION = 0.02  #: largest difference of logits, relative to the largest, where another precision is declared


@action("exporter", materials=("taught", "blank", "rows"))
def work(subject: Subject) -> Result | None:
    """Export the source."""
    return subject.build().export(subject.source(), subject.step.output, subject.step)


@observer("exporter")
def observe(subject: Subject) -> dict[str, Any]:
    """The files that it writes, and what it says of them."""
    return {"result": work(subject)}


@check("exporter.writes-its-format", kind="exporter", title="what it writes is of a format that it declares")
def writes(subject: Subject) -> None:
    check_format(subject, work)


@check("exporter.reproducible", kind="exporter", title="the same source gives the same bytes, without paths of this machine in them")
def reproducible(subject: Subject) -> None:
    check_portable(same_twice(subject, work))


@check("exporter.leaves-its-source", kind="exporter", title="the source is bit for bit as before")
def leaves(subject: Subject) -> None:
    other = subject.elsewhere()
    source = other.source()
    before = contents(source.path)
    work(other)
    if what := differing(before, contents(source.path)):
        raise CheckFailed(f"it changes its source: {what}", fix="Write to `output` and `step.work` only.")


@check("exporter.same-after-a-kill", kind="exporter", level="gold", title="killed and started again, it gives the same artifact")
def after_a_kill(subject: Subject) -> None:
    same_after_a_kill(subject, work)


def _keeps(record: Any) -> bool:
    return "model/hf" in record.produces and record.capabilities.get("lossless") in ("full", "partial")


@check(
    "exporter.keeps-the-numbers",
    kind="exporter",
    when=_keeps,
    title="the model it writes computes what its source did, as its `lossless` says",
)
def keeps(subject: Subject) -> None:
    other = subject.elsewhere()
    work(other)
    output = Path(other.step.output)
    if _unchanged(Path(other.source().path), output):
        return
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise NotRun("its environment has no transformers to load what it wrote", where="the host's environment") from None
    full = subject.record.capabilities["lossless"] == "full"
    limit = subject.tolerance("exporter.keeps-the-numbers", 0.0 if full else PRECISION)
    tokens = torch.arange(3, 27).reshape(2, 12)
    with torch.no_grad():
        model = AutoModelForCausalLM.from_pretrained(output).float().eval()
        source = (other.asked("model", Path(other.source().path)) or other.model()).eval()
        before, after = source(tokens).logits, model(tokens).logits
    apart = float((before - after).abs().max() / before.abs().max())
    if apart > limit:
        raise CheckFailed(f"logits differ by {apart:.2g} of the largest, more than {limit:g}", fix="Keep the weights' order and precision.")
    AutoTokenizer.from_pretrained(output)


def _unchanged(source: Path, output: Path) -> bool:
    """Whether what a model computes follows from the same bytes in both."""
    before, after = contents(source), contents(output)
    names = [name for name in {*before, *after} if name.endswith((".safetensors", "config.json")) or name.startswith("tokenizer")]
    return "config.json" in names and all(before.get(name) == after.get(name) for name in names)
