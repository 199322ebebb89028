"""The peak of a training step's memory against what `tunesmith estimate` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from device import Device
from models import conversations, made, preferences, written
from told import Telling
from training import estimated, train

from tunesmith.units import bytes_text

HOST = "runtime"  # the part of an estimate that torch does not allocate on a GPU: the driver's context, and libraries


class Case(NamedTuple):
    """Args:
    needs: bytes that the device should have.
    """

    title: str
    settings: Mapping[str, Any]
    adapter: str = "lora"
    objective: str = "sft"
    needs: float = 0.0


def run(device: Device, folder: Path, tell: Telling) -> None:
    name, rows, tokens = ("qwen3-0.6b", 8, 1024) if device.gpu else ("tiny", 4, 128)
    model = made(name, folder, device.torch, device.compute)
    batch = {"batch_size": rows, "max_length": tokens, "max_steps": 2, "num_train_epochs": 2, "dtype": device.compute}
    whole = {**batch, "max_tokens_per_microbatch": rows * tokens}
    data = {
        "sft": written(conversations(rows, shortest=4 * tokens, longest=4 * tokens, question=0.05), folder / "long"),
        "dpo": written(preferences(rows, longest=tokens // 2), folder / "pairs"),
    }
    if not device.gpu:
        tell.skipped("figures to compare", "here the peak is of the whole process, with what this tool keeps in it")
    cases = [
        Case("lora", whole),
        Case("lora, 1 row at a time", {**batch, "max_tokens_per_microbatch": tokens}),
        Case("lora, gradient checkpointing", {**whole, "gradient_checkpointing": True}),
        Case("lora, float32", {**whole, "dtype": "float32"}),
        Case("full", whole, adapter="full", needs=20e9),
        Case("dpo, lora", whole, objective="dpo"),
    ]
    if find_spec("bitsandbytes") is None:
        tell.skipped("qlora", "bitsandbytes is not installed")
    else:
        cases.append(Case("qlora", whole, adapter="qlora"))
    for number, case in enumerate(cases):
        if device.memory < case.needs:
            tell.skipped(case.title, f"it takes a device of {bytes_text(case.needs)}")
            continue
        length = _length(model, data[case.objective], case.objective)
        chosen = {"objective": case.objective, "adapter": case.adapter}
        said = estimated(device, model, {"rows": rows, "length": length}, case.settings, **chosen)
        done = train(device, model, data[case.objective], folder / f"memory-{number}", case.settings, **chosen)
        wanted = said.memory - (said.terms[HOST] if device.gpu else 0.0)
        off = wanted / done.peak - 1
        tell.measured(
            f"{case.title}, {name}, {case.settings['dtype']}", f"peak {bytes_text(done.peak)}, estimate {bytes_text(wanted)}, {off:+.0%}",
            peak=done.peak, estimate=wanted, off=off, reserved=torch.cuda.max_memory_reserved() if device.gpu else 0,
        )  # fmt: skip


def _length(model: Path, data: Path, objective: str) -> int:
    """Tokens of a row's longest sequence, on average over the rows."""
    from training import sequences

    longest = [max(len(sequence.tokens) for sequence in group.sequences) for group in sequences(model, data, objective)]
    return round(sum(longest) / len(longest))
