"""Which layers of which models stand upon each other: ``slices`` of `merge_method: passthrough`. Standard library and contracts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tunesmith.contracts import UserError

COUNT = "num_hidden_layers"
#: keys of a config by which layers of one model differ by where they stand; they would stand elsewhere
_BY_PLACE = ("mlp_only_layers", "first_k_dense_replace", "moe_layer_freq", "attn_layer_indices", "cross_attention_layers")
_SLICE = re.compile(r"\s*(\d+)\s*\[\s*(\d+)\s*:\s*(\d+)\s*\]\s*")


class Layer(NamedTuple):
    """A layer of a model: 0 is the base, 1 the first of the tuned ones."""

    model: int
    layer: int


def stack(slices: Sequence[str], models: int, layers: int = 0) -> list[Layer]:
    """From below.

    Args:
        models: that there are, with the base.
        layers: of each of them; 0: unknown.

    Raises:
        UserError: TS-TRAIN-078 for a slice that can't be read, or of a model or of layers that are not there.
    """
    found: list[Layer] = []
    for said in slices:
        matched = _SLICE.fullmatch(str(said))
        model, first, end = (int(one) for one in matched.groups()) if matched else (0, 0, 0)
        wrong = (
            "it is not written as MODEL[FIRST:END]" if not matched
            else f"there is no model {model}; the base is 0, the last one {models - 1}" if model >= models
            else "it has no layer" if first >= end
            else f"the models have {layers} layers, 0 to {layers - 1}" if layers and end > layers
            else ""
        )  # fmt: skip
        if wrong:
            raise UserError(
                "TS-TRAIN-078", f"`slices` has {said!r}: {wrong}",
                fix='Write `slices: ["0[0:20]", "1[10:30]"]`: layers 0 to 19 of the base, upon them 10 to 29 of the first tuned model.',
            )  # fmt: skip
        found += [Layer(model, layer) for layer in range(first, end)]
    if not found:
        raise UserError(
            "TS-TRAIN-078", "`merge_method: passthrough` needs `slices`, which say what stands upon what",
            fix='Write `slices: ["0[0:20]", "1[10:30]"]`.',
        )  # fmt: skip
    return found


def check_config(config: Mapping[str, Any]) -> None:
    """
    Raises:
        UserError: TS-TRAIN-078 for a model whose layers can't stand elsewhere.
    """
    bound = next((key for key in _BY_PLACE if config.get(key) not in (None, 0, 1, [])), "")
    if bound or not config.get(COUNT):
        raise UserError(
            "TS-TRAIN-078", "`merge_method: passthrough` can't stack the layers of this model",
            why=f"By `{bound}` they differ by where they stand." if bound else f"Its config.json has no `{COUNT}`.",
            fix="Take another method, or models whose layers are all of one kind.",
        )  # fmt: skip


def stacked_config(base: Mapping[str, Any], configs: Sequence[Mapping[str, Any]], layers: Sequence[Layer]) -> dict[str, Any]:
    """The base's config for the stack: the number of layers, and lists that say something of each (`layer_types`)."""
    count = base[COUNT]
    found = {**base, COUNT: len(layers)}
    for key, value in base.items():
        if "layer" in key and isinstance(value, list) and len(value) == count:
            found[key] = [configs[model].get(key, value)[layer] for model, layer in layers]
    return found
