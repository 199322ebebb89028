"""Checks of quantizers: fewer bytes, the same knowledge, the same every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, Result, UserError
from tunesmith_sdk.conformance.bench.files import check_format, check_portable, same_after_a_kill, same_twice
from tunesmith_sdk.conformance.bench.subject import Subject, contents, differing
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check
from tunesmith_sdk.conformance.materials.tiny_trained_model import perplexity

RATIO = 1.5  #: of perplexities on the sentences that the tiny model knows by heart
SMALLER = 0.8  #: of the matrices' bytes, embeddings and output head left out


def _rows(subject: Subject) -> Artifact | None:
    return Artifact("dataset/chat", subject.material("rows")) if subject.record.facts.get("calibration") else None


@action("quantizer", materials=("taught", "blank", "rows"))
def work(subject: Subject) -> Result | None:
    """Quantize the tiny model that knows something."""
    return subject.build().quantize(subject.source(), subject.step.output, _rows(subject), subject.step)


@observer("quantizer")
def observe(subject: Subject) -> dict[str, Any]:
    """The files that it writes, and what it says of them."""
    return {"result": work(subject)}


@check("quantizer.writes-its-format", kind="quantizer", title="what it writes is of a format that it declares")
def writes(subject: Subject) -> None:
    check_format(subject, work)


@check(
    "quantizer.deterministic", kind="quantizer", title="the same model, rows and seed give the same bytes, without paths of this machine"
)
def deterministic(subject: Subject) -> None:
    check_portable(same_twice(subject, work))


@check("quantizer.leaves-its-source", kind="quantizer", title="the source is bit for bit as before")
def leaves(subject: Subject) -> None:
    other = subject.elsewhere()
    source = other.source()
    before = contents(source.path)
    work(other)
    if what := differing(before, contents(source.path)):
        raise CheckFailed(f"it changes its source: {what}", fix="Write to `output` and `step.work` only.")


@check("quantizer.smaller", kind="quantizer", title="the layers' matrices take fewer bytes than before")
def smaller(subject: Subject) -> None:
    other = subject.elsewhere()
    work(other)
    before, after = _layer_bytes(subject.source().path), _layer_bytes(other.step.output)
    if after > SMALLER * before:
        raise CheckFailed(f"the layers take {after} bytes, and took {before}", fix="Save what is packed, not what it stands for.")


def _layer_bytes(folder: Path) -> int:
    """Bytes of the tensors of layers, as the files' own headers say; of all files where there are no such headers."""
    import json

    total = 0
    for path in sorted(Path(folder).glob("*.safetensors")):
        raw = path.read_bytes()
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        total += sum(e["data_offsets"][1] - e["data_offsets"][0] for name, e in header.items() if ".layers." in name)
    return total or sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


@check("quantizer.keeps-the-knowledge", kind="quantizer", title="loaded again, its perplexity is within the stated ratio of the model's")
def keeps(subject: Subject) -> None:
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise NotRun("its environment has no transformers to load what it wrote", where="a backend that it claims serves it") from None
    other = subject.elsewhere()
    work(other)
    output = Path(other.step.output)
    try:
        given = subject.asked("model", output)
        if given is None and not (output / "config.json").is_file():
            raise NotRun(f"transformers does not load {', '.join(subject.record.produces)}", where="`model` in the author's file")
        tokenizer = AutoTokenizer.from_pretrained(output)
        quantized = (given or AutoModelForCausalLM.from_pretrained(output)).eval()
    except NotRun:
        raise
    except Exception as error:
        raise CheckFailed(f"transformers can't load what it wrote: {type(error).__name__}", found=str(error)[:200],
                          fix="Write a `quantization_config` that says how the weights are packed.") from error  # fmt: skip
    before, after = perplexity(subject.model(), tokenizer), perplexity(quantized, tokenizer)
    limit = subject.tolerance("quantizer.keeps-the-knowledge", RATIO)
    if not after <= limit * before:
        raise CheckFailed(f"perplexity goes from {before:.3f} to {after:.3f}, more than {limit:g} times",
                          fix="See that scales, zero points and the order of packed values are those that readers expect.")  # fmt: skip


@check("quantizer.asks-for-rows", kind="quantizer", when=lambda record: bool(record.facts.get("calibration")),
       title="without the rows that it declares to need it says so by a coded error")  # fmt: skip
def asks(subject: Subject) -> None:
    other = subject.elsewhere()
    try:
        subject.build().quantize(subject.source(), other.step.output, None, other.step)
    except UserError:
        return
    raise CheckFailed("it quantizes without the rows that it declares to need", fix="Raise `UserError`, or drop the fact `calibration`.")


@check("quantizer.same-after-a-kill", kind="quantizer", level="gold", title="killed and started again, it gives the same artifact")
def after_a_kill(subject: Subject) -> None:
    same_after_a_kill(subject, work)
