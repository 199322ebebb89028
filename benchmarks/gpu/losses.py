"""What a few steps of training come to on the device, in each type of numbers, against float32 on the processor."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from device import Device
from models import conversations, preferences, written
from told import Telling
from training import Trained, train

from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.settings import TrainSettings

FAMILIES = ("llama", "qwen3", "gemma2")
CELLS = (("sft", "lora"), ("sft", "full"), ("dpo", "lora"))  # objective and adapter
STEPS = 4
#: Most that losses and gradient norms may be apart, as a share. In float32 only the order of sums differs; a number in bfloat16 has 8
#: bits, in float16 11.
APART = {"float32": (1e-3, 5e-3), "bfloat16": (2e-2, 1e-1), "float16": (1e-2, 5e-2)}


def run(device: Device, folder: Path, tell: Telling) -> None:
    dtypes = [dtype for dtype in APART if _computed(dtype, device, tell)]
    rows = {
        "sft": written(conversations(16, shortest=40, longest=400), folder / "sft"),
        "dpo": written(preferences(16, longest=200), folder / "dpo"),
    }
    for family in FAMILIES:
        model = tiny_model(folder / family, family=family)
        for objective, adapter in CELLS:

            def by(where: Device, dtype: str, given: tuple[Path, str, str] = (model, objective, adapter)) -> Trained:
                path, aim, method = given
                settings = {"dtype": dtype, "batch_size": 4, "max_steps": STEPS, "num_train_epochs": 4, "learning_rate": 2e-3}
                place = folder / f"{path.name}-{aim}-{method}-{where.torch.type}-{dtype}-{where is device}"
                return train(where, path, rows[aim], place, settings, objective=aim, adapter=method)

            wanted = by(Device("cpu"), "float32")
            for dtype in dtypes:
                _held(tell, f"{dtype}: {family}, {objective}, {adapter}", wanted, by(device, dtype), APART[dtype])


def _computed(dtype: str, device: Device, tell: Telling) -> bool:
    """Whether it can be tried; the reason why not is told."""
    if dtype not in choices():
        tell.skipped(dtype, f"training has no `dtype: {dtype}`: it has {', '.join(choices())}")
    elif dtype not in device.dtypes:
        tell.skipped(dtype, f"{device.title} does not compute in it natively")
    return dtype in choices() and dtype in device.dtypes


def choices() -> tuple[str, ...]:
    """Types of numbers that training can be told to compute in."""
    field = next(field for field in dataclasses.fields(TrainSettings) if field.name == "dtype")
    return tuple(field.metadata["schema"]["enum"])


def _held(tell: Telling, what: str, wanted: Trained, found: Trained, allowed: tuple[float, float]) -> None:
    losses, norms = (apart(*pair) for pair in ((wanted.losses, found.losses), (wanted.norms, found.norms)))
    tell.held(
        what, f"losses {losses:.1e}, norms {norms:.1e} apart", holds=losses <= allowed[0] and norms <= allowed[1],
        otherwise=f"at most {allowed[0]:.0e} and {allowed[1]:.0e}", losses=losses, norms=norms,
    )  # fmt: skip


def apart(wanted: list[float], found: list[float]) -> float:
    """The largest difference, as a share; infinite where one has more steps, or a number that is none."""
    if not wanted or len(wanted) != len(found):
        return float("inf")
    shares = [abs(one - other) / abs(one) for one, other in zip(wanted, found, strict=True)]
    return max(share if share == share else float("inf") for share in shares)
