"""Formats and engines: each format of SmolLM2-135M-Instruct served by each engine here that takes it, and how far its next tokens are.

    python benchmarks/formats [FORMAT ...] [--again] [--page docs/serving.md]

Each engine is asked over HTTP for the log-probability of the token after each of twenty texts (`/v1/completions`, `logprobs: 5`). They
are held against those of the model in float32 by the default backend: for the token that is likeliest there, the difference in nats.
Engines that take the same format differ by the way they compute, formats by what they keep of the weights. What was measured is kept in
build/formats and not measured again. Isolated environments are built the first time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from texts import TEXTS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from served import Served, pipeline, served

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "formats"
ROWS = {"data": str(ROOT / "examples" / "quickstart" / "train.jsonl")}
LIKELY = 5  # tokens told of each place
REFERENCE = "float32"
ALONE = ("openvino",)  # engines that tell the log-probability of their own token and of no other
#: name -> the step that makes it, and the engines that serve it here with their settings
FORMATS: dict[str, tuple[dict[str, Any], dict[str, list[str]]]] = {
    REFERENCE: (
        {"export": "dequantize"},
        {"transformers": ["--dtype", "float32"], "vllm": ["--dtype", "float32"], "openvino": ["--dtype", "float32"]},
    ),
    "bfloat16": (
        {"export": "dequantize"},
        {"transformers": ["--dtype", "bfloat16"], "vllm": ["--dtype", "bfloat16"], "openvino": ["--dtype", "bfloat16"]},
    ),
    "gguf f16": ({"export": {"gguf": {"outtype": "f16"}}}, {"llamacpp": []}),
    "gguf q8_0": ({"export": {"gguf": {"outtype": "q8_0"}}}, {"llamacpp": []}),
    "openvino": ({"export": {"openvino": {}}}, {"openvino": ["--dtype", "float32"]}),
    "openvino int8": ({"export": {"openvino": {"weight_format": "int8"}}}, {"openvino": ["--dtype", "float32"]}),
    "bitsandbytes int8": ({"quantize": {"bitsandbytes": {"quant_type": "int8"}}}, {"transformers": ["--dtype", "float32"]}),
    "bitsandbytes nf4": ({"quantize": {"bitsandbytes": {"quant_type": "nf4"}}}, {"transformers": ["--dtype", "float32"]}),
    "gptq": ({"quantize": "gptq", **ROWS}, {"vllm": []}),
    "awq": ({"quantize": "awq", **ROWS}, {"vllm": []}),
    "compressed-tensors W4A16": ({"quantize": {"compressed-tensors": {"scheme": "W4A16"}}, **ROWS}, {"vllm": []}),
    "compressed-tensors FP8": ({"quantize": {"compressed-tensors": {"scheme": "FP8", "algorithm": "rtn"}}, **ROWS}, {"vllm": []}),
}


def next_tokens(server: Served, text: str, likely: int) -> dict[str, float]:
    """The likeliest tokens after a text, with their log-probabilities; the likeliest alone where `likely` is 0."""
    body = {"model": server.model, "prompt": text, "max_tokens": 1, "temperature": 0, "logprobs": likely}
    request = urllib.request.Request(f"{server.url}/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        told = json.load(reply)["choices"][0]["logprobs"]
    if "content" in told:  # as llama.cpp tells it
        return {entry["token"]: float(entry["logprob"]) for entry in told["content"][0]["top_logprobs"]}
    if not told.get("top_logprobs"):
        return {told["tokens"][0]: float(told["token_logprobs"][0])}
    return {str(token): float(value) for token, value in told["top_logprobs"][0].items()}


def measured(name: str, engine: str) -> list[dict[str, float]]:
    step, engines = FORMATS[name]
    file, made = pipeline(KEPT, "formats", step)
    with served(engine, file, made, engines[engine]) as server:
        return [next_tokens(server, text, 0 if engine in ALONE else LIKELY) for text in TEXTS]


def kept(name: str, engine: str) -> Path:
    return KEPT / f"{name} {engine}.json".replace(" ", "-")


def row(name: str, engine: str, found: list[dict[str, float]], reference: list[dict[str, float]]) -> dict[str, Any]:
    """How far it is from the reference: at the token that is likeliest there, or at its own where it tells of no other."""
    apart = [one for one in map(difference, found, reference) if one is not None]
    same = sum(likeliest(one) == likeliest(other) for one, other in zip(found, reference, strict=True))
    return {"format": name, "engine": engine, "mean": statistics.mean(apart), "most": max(apart), "texts": len(apart), "same": same}


def likeliest(told: Mapping[str, float]) -> str:
    return max(told, key=told.__getitem__)


def difference(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    token = likeliest(other) if likeliest(other) in one else likeliest(one)
    return abs(one[token] - other[token]) if token in other else None


def table(rows: list[dict[str, Any]]) -> str:
    head = f"| format | served by | nats apart, mean | most | texts | same likeliest token of {len(TEXTS)} |\n|---|---|---|---|---|---|\n"
    body = (
        f"| {one['format']} | `{one['engine']}` | {one['mean']:.4f} | {one['most']:.4f} | {one['texts']} | {one['same']} |\n"
        for one in rows
    )
    return head + "".join(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="FORMAT", help=f"of {', '.join(FORMATS)} (default: all)")
    parser.add_argument("--again", action="store_true", help="measure what is measured, too")
    parser.add_argument("--page", type=Path, help="write the table into it, between its marks")
    chosen = parser.parse_args()
    KEPT.mkdir(mode=0o700, parents=True, exist_ok=True)  # a home that holds other things is no one else's
    cells = [(name, engine) for name, (_, engines) in FORMATS.items() for engine in engines]
    for name, engine in cells:
        if (not chosen.names or name in chosen.names) and (chosen.again or not kept(name, engine).exists()):
            kept(name, engine).write_text(json.dumps(measured(name, engine), indent=1))
            print(name, engine, flush=True)
    reference = json.loads(kept(REFERENCE, "transformers").read_text())
    rows = [row(*cell, json.loads(kept(*cell).read_text()), reference) for cell in cells if kept(*cell).exists()]
    print(table(rows))
    if chosen.page:
        before, _, rest = chosen.page.read_text("utf-8").partition("<!-- formats -->\n")
        chosen.page.write_text(f"{before}<!-- formats -->\n{table(rows)}<!-- /formats -->{rest.partition('<!-- /formats -->')[2]}", "utf-8")


if __name__ == "__main__":
    main()
