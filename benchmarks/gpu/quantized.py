"""`qlora`, which keeps the base in 4 bits by bitsandbytes: that its losses are those of the processor, and what it costs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from device import Device
from losses import apart
from models import conversations, made, written
from told import Telling
from training import train

from tunesmith.units import bytes_text
from tunesmith_sdk.tiny_models import tiny_model

APART = 5e-2  # the blocks are rounded to the same 16 values; what is computed with them is in bfloat16


def run(device: Device, folder: Path, tell: Telling, *, timed: bool) -> None:
    if find_spec("bitsandbytes") is None:
        tell.skipped("qlora, nf4", "bitsandbytes is not installed")
        return
    if timed:
        _measured(device, folder, tell)
        return
    data = written(conversations(16, shortest=40, longest=400), folder / "rows")
    model = tiny_model(folder / "model", family="qwen3")
    settings = {"dtype": "float32", "batch_size": 4, "max_steps": 4, "num_train_epochs": 4, "learning_rate": 2e-3}
    wanted = train(Device("cpu"), model, data, folder / "cpu", settings, adapter="qlora").losses
    found = train(device, model, data, folder / "device", {**settings, "dtype": device.compute}, adapter="qlora").losses
    off = apart(wanted, found)
    tell.held("qlora, nf4", f"losses {off:.1e} apart", holds=off <= APART, otherwise=f"at most {APART:.0e}", losses=off)


def _measured(device: Device, folder: Path, tell: Telling) -> None:
    rows, steps = (8, 8) if device.gpu else (2, 4)
    name = "qwen3-0.6b" if device.gpu else "tiny"
    model = made(name, folder, device.torch, device.compute)
    data = written(conversations(rows * steps, shortest=400, longest=2000 if device.gpu else 400), folder / "rows")
    settings = {"batch_size": rows, "max_length": 2048, "max_tokens_per_microbatch": 10**9, "dtype": device.compute}
    for adapter in ("lora", "qlora"):
        done = train(device, model, data, folder / adapter, settings, adapter=adapter)
        seconds = sorted(done.seconds[2:])[len(done.seconds[2:]) // 2]
        tell.measured(
            f"{adapter}, {name}, {device.compute}", f"{seconds:.3f} s a step of {rows} rows, peak {bytes_text(done.peak)}", seconds=seconds,
            memory=done.peak,
        )  # fmt: skip
