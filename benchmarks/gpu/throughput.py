"""Tokens a second and the share of the device's peak (MFU), of Tunesmith and of plain transformers with PEFT on the same rows.

The work is what the mathematics asks for, whoever does it: for each token and weight of the layers' frozen matrices 4 operations (forward,
and the gradient of the input), for each of LoRA's 6, for the head 4 for each label, and for a sequence of n tokens and attention of width d
6 n^2 d in each layer (its causal half). Padding is no work. MFU is that by the time and by the device's peak.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from device import Device
from losses import apart
from models import conversations, made, written
from plain import passes_of
from plain import train as train_plainly
from told import Telling, sentence
from training import SEED, Trained, sequences, train

from tunesmith.units import bytes_text
from tunesmith_models import ModelShape

RANK, ALPHA = 8, 16.0
TEMPLATE = 40  # tokens that the chat template adds, or more; a character is a token at most
WARM = 3  # steps that don't count
SAME = 1e-3  # what losses may be apart, as a share
FORMULA = "(4 frozen + 6 LoRA) per token + 4 head per label + 6 layers width n^2 per sequence, by seconds and peak"


def run(device: Device, folder: Path, tell: Telling, *, name: str) -> None:
    from tunesmith_torch.data.batch_sampler import BatchSampler

    rows, longest, steps = (32, 1024, 10) if device.gpu else (6, 128, 5)
    tokens = longest * ((8 if device.memory > 60e9 else 4 if device.memory > 30e9 else 2) if device.gpu else 2)
    name = name if device.gpu else "tiny"
    model = made(name, folder, device.torch, device.compute)
    data = written(conversations(rows * steps, shortest=60, longest=longest - TEMPLATE), folder / "rows")
    encoded = [group.sequences[0] for group in sequences(model, data)]
    sampler = BatchSampler(len(encoded), rows, SEED)
    batches = [[encoded[at] for at in sampler.batch(number)] for number in range(steps)]
    peak, source = device.most(device.compute, 8192 if device.gpu else 512)
    tell.measured(
        f"{name}, {device.compute}: the work",
        f"{sum(len(s.tokens) for s in encoded)} tokens in {steps} steps of {rows} rows, in passes of {tokens} tokens; padded to a pass's "
        f"longest, {_padding(batches, tokens):.0%} is padding; "
        f"peak {peak / 1e12:.3g} TFLOP/s ({source})",
        peak=peak, padding=_padding(batches, tokens),
    )  # fmt: skip
    settings = {"batch_size": rows, "max_length": 4 * longest, "max_tokens_per_microbatch": tokens, "dtype": device.compute}
    lora = {"r": RANK, "lora_alpha": ALPHA, "target_modules": ["all-linear"]}
    ours = train(device, model, data, folder / "ours", {**settings, "deterministic": False}, adapter_settings=lora)
    work = _operations(model, batches[WARM:])
    speed = _told(tell, f"{name}: tunesmith", ours, batches, work, peak, 0.0)
    again = train(device, model, data, folder / "deterministic", settings, adapter_settings=lora)
    _told(tell, f"{name}: tunesmith, deterministic", again, batches, work, peak, 0.0)
    variants = [("padded, sdpa", False, "sdpa"), ("packed, sdpa", True, "sdpa")]
    if device.gpu and find_spec("flash_attn") is not None:
        variants.append(("packed, flash_attention_2", True, "flash_attention_2"))
    else:
        tell.skipped(f"{name}: transformers and PEFT, packed, flash_attention_2", "flash-attn is not installed, or this is no GPU")
    for title, packed, attention in variants:
        what = f"{name}: transformers and PEFT, {title}"
        try:
            theirs = train_plainly(
                device, model, batches, ours.begun, rank=RANK, alpha=ALPHA, packed=packed, tokens=tokens, attention=attention
            )
        except (RuntimeError, ImportError) as error:
            device.forget_peak()
            tell.skipped(what, sentence(error))
            continue
        _told(tell, what, theirs, batches, work, peak, speed)
        off = apart(theirs.losses, ours.losses)
        tell.held(f"{what}: losses", f"{off:.1e} apart", holds=off <= SAME, otherwise=f"at most {SAME:.0e}", apart=off)


def _told(
    tell: Telling, what: str, done: Trained, batches: Sequence[Sequence[Any]], work: float, peak: float, other: float
) -> float:  # fmt: skip
    """A row; tokens a second."""
    seconds = sum(done.seconds[WARM:])
    speed = sum(len(sequence.tokens) for batch in batches[WARM:] for sequence in batch) / seconds
    share = work / seconds / peak
    compared = f", tunesmith is {other / speed:.2f} times as fast" if other else ""
    tell.measured(
        what, f"{speed:,.0f} tokens/s, MFU {share:.1%}, peak {bytes_text(done.peak)}{compared}", tokens_per_second=speed, mfu=share,
        memory=done.peak, **({"ratio": other / speed} if other else {}),
    )  # fmt: skip
    return speed


def _padding(batches: Sequence[Sequence[Any]], tokens: int) -> float:
    passes = [rows for batch in batches for rows in passes_of(batch, False, tokens)]
    room = sum(len(rows) * max(len(sequence.tokens) for sequence in rows) for rows in passes)
    return 1 - sum(len(sequence.tokens) for batch in batches for sequence in batch) / room


def _operations(model: Path, batches: Sequence[Sequence[Any]]) -> float:
    shape = ModelShape.from_config(json.loads((model / "config.json").read_text()))
    assert shape is not None
    lora = RANK * sum(linear.count * (linear.inputs + linear.outputs) for linear in shape.linears)
    width = shape.heads * shape.head_size
    total = 0.0
    for sequence in (sequence for batch in batches for sequence in batch):
        tokens, labels = len(sequence.tokens), sum(sequence.labels)
        total += tokens * (4.0 * shape.matrices + 6.0 * lora) + labels * 4.0 * shape.vocabulary * shape.hidden
        total += 6.0 * shape.layers * width * tokens**2
    return total
