"""Faults of adapters, and of merging them into their base."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

from .behaviour import base_of
from .case import copy, fault
from .model_files import Tensors, edited_json, edited_tensors, read_tensors
from .parent_models import ALPHA, RANK, lora


def merge(
    parent: Path, child: Path, times: float = 1.0, place: Callable[[str], str] = lambda name: name, scale: float = ALPHA / RANK
) -> Tensors:
    """Write an adapter's base with `times` its update into `child`; `place`: which weight an update goes to; gives the merged tensors."""
    base = base_of(parent)
    assert base is not None
    copy(base, child)
    adapter = read_tensors(parent)
    with edited_tensors(child) as tensors:
        for name, low in adapter.items():
            if "lora_A" in name:
                high = adapter[name.replace("lora_A", "lora_B")]
                tensors[place(_target(name))] += times * scale * (high @ low)
        for name, tensor in adapter.items():
            if "lora_" not in name:
                tensors[name.removeprefix("base_model.model.")] = tensor
    return tensors


@fault("lora", "outputs", "gate")
def merged_twice(parent: Path, child: Path) -> None:
    """The adapter's update was added twice."""
    merge(parent, child, times=2)


@fault("lora", "outputs", "gate")
def merged_by_rank(parent: Path, child: Path) -> None:
    """The update was scaled by 1 / r instead of alpha / r."""
    merge(parent, child, scale=1 / RANK)


@fault("lora", "outputs", "audit", thread="axolotl#3294")
def not_merged(parent: Path, child: Path) -> None:
    """What is called merged is the base."""
    merge(parent, child, times=0)


@fault("lora", "outputs", "gate")
def merged_into_the_neighbour(parent: Path, child: Path) -> None:
    """Each update went into the other layer."""
    other = {"layers.0.": "layers.1.", "layers.1.": "layers.0."}
    merge(parent, child, place=lambda name: next(name.replace(old, new) for old, new in other.items() if old in name))


@fault("lora", "outputs", "gate")
def merged_with_the_other_sign(parent: Path, child: Path) -> None:
    """The update was taken off, as by merging an adapter that counts as merged."""
    merge(parent, child, times=-1)


@fault("lora_and_head", "outputs", "gate")
def merged_without_rslora(parent: Path, child: Path) -> None:
    """The adapter scales by alpha / sqrt(r), the merge by alpha / r."""
    merge(parent, child, scale=ALPHA / RANK)


@fault("lora_and_head", "outputs", "gate")
def merged_without_the_saved_head(parent: Path, child: Path) -> None:
    """The updates were merged, the head that was trained as a whole was left out."""
    merge(parent, child, scale=ALPHA / math.sqrt(RANK))
    base = base_of(parent)
    assert base is not None
    with edited_tensors(child) as tensors:
        tensors["lm_head.weight"] = read_tensors(base)["lm_head.weight"]


@fault("llama", "unchanged", "audit", thread="mlx-lm-lora#69", changed=True)
def adapter_that_changes_nothing(parent: Path, child: Path) -> None:
    """After training every B of the adapter is zero, as before it."""
    _trained(parent, child)
    with edited_tensors(child) as tensors:
        for name, tensor in tensors.items():
            if "lora_B" in name:
                tensor.zero_()


@fault("llama", "unchanged", "audit", changed=True, thread="Soup 0.72.0")
def training_that_changed_nothing(parent: Path, child: Path) -> None:
    """The model that came of a full fine-tuning is the base to the last bit."""
    copy(parent, child)


@fault("llama", "unchanged", "audit", changed=True)
def adapter_of_a_cancelled_sum(parent: Path, child: Path) -> None:
    """The halves of the adapter's rank cancel each other: no factor is zero, their product is."""
    _trained(parent, child)
    with edited_tensors(child) as tensors:
        for name, tensor in tensors.items():
            if "lora_A" in name:
                tensor[RANK // 2 :] = tensor[: RANK // 2]
            if "lora_B" in name:
                tensor[:, RANK // 2 :] = -tensor[:, : RANK // 2]


@fault("lora", "outputs", "audit", thread="axolotl#3772")
def adapter_saved_by_one_rank(parent: Path, child: Path) -> None:
    """The rows of seven of eight ranks in each B are zeros."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name, tensor in tensors.items():
            if "lora_B" in name:
                tensor[len(tensor) // 8 :] = 0


@fault("lora", "outputs", "audit")
def adapter_without_a_layer(parent: Path, child: Path) -> None:
    """The updates of one layer were not saved."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name in [name for name in tensors if "layers.0." in name]:
            del tensors[name]


@fault("lora", "outputs", "gate")
def adapter_with_another_alpha(parent: Path, child: Path) -> None:
    """The adapter's config came back with the usual alpha instead of its own."""
    with edited_json(copy(parent, child), "adapter_config.json") as config:
        config["lora_alpha"] = 8


@fault("lora", "numbers", "audit")
def adapter_that_is_not_finite(parent: Path, child: Path) -> None:
    """A number of one A is infinite."""
    with edited_tensors(copy(parent, child)) as tensors:
        next(tensor for name, tensor in tensors.items() if "lora_A" in name)[0, 0] = float("inf")


def _target(name: str) -> str:
    return name.removeprefix("base_model.model.").replace(".lora_A", "")


def _trained(parent: Path, child: Path) -> None:
    """An adapter on `parent`, in `child`."""
    made = lora(child.with_name(f"{child.name}-made"))
    shutil.move(made, child)
    with edited_json(child, "adapter_config.json") as config:
        config["base_model_name_or_path"] = str(parent)
