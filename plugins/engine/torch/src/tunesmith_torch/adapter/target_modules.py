"""Which layers an adapter goes on, and putting it there: what every adapter that changes layers needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from tunesmith.contracts import UserError
from tunesmith.errors import did_you_mean
from tunesmith_torch.model.encoder import head_parts
from tunesmith_torch.model.linear_layers import Stack, linears, sizes, stacks
from tunesmith_torch.model.multimodal import modality_modules

ALL, ENCODERS = "all-linear", "all-encoders"


def targets(model: Any, wanted: Sequence[str]) -> dict[str, Any]:
    """The linear layers that `wanted` names, as PEFT matches names: whole, or the end of one after a dot. ``all-linear``: all of the
    language part but the output head; ``all-encoders``: all of the parts that see or hear, and of what projects them among the words.
    What is the head of a classifier is not among them: it trains whole.

    Raises:
        UserError: TS-TRAIN-010 when one names no linear layer.
    """
    own = {module for part in head_parts(model).values() for module in part.modules()}
    found = {name: linear for name, linear in linears(model).items() if linear not in own}
    head, encoders = model.get_output_embeddings(), modality_modules(model)
    chosen: set[str] = set()
    for target in wanted:
        if target == ALL:
            matching = {name for name, linear in found.items() if linear is not head and linear not in encoders}
        elif target == ENCODERS:
            matching = {name for name, linear in found.items() if linear in encoders}
        else:
            matching = set(_named(target, found))
        if not matching:
            raise _nothing(model, target, found)
        chosen |= matching
    return {name: found[name] for name in found if name in chosen}


def targets_and_stacks(model: Any, wanted: Sequence[str]) -> tuple[dict[str, Any], dict[str, Stack]]:
    """As `targets`, and the experts that `wanted` names by their parameters; ``all-linear`` names those of the language part.

    Raises:
        UserError: TS-TRAIN-010 when one names neither a linear layer nor experts.
    """
    found, encoders = stacks(model), modality_modules(model)
    chosen = {name for target in wanted for name in (found if target == ALL else _named(target, found))}
    others = [target for target in wanted if target == ALL or not _named(target, found)]
    return targets(model, others), {name: stack for name, stack in found.items() if name in chosen and stack.module not in encoders}


def _named(target: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name == target or name.endswith("." + target)]


def _nothing(model: Any, target: str, found: Iterable[str]) -> UserError:
    experts = _named(target, stacks(model))
    return UserError(
        "TS-TRAIN-010", f"`{target}` in the setting `target_modules` names no linear layer of the model",
        why="It names the matrices of experts, which the model keeps as one parameter: this adapter goes on layers." if experts else "",
        fix="Take the adapter `lora`, which reaches them." if experts else did_you_mean(target, {n.rsplit(".", 1)[-1] for n in found}),
    )  # fmt: skip


def decoder_layers(model: Any) -> tuple[str, torch.nn.ModuleList]:
    """The name of the list of the decoder's layers, and the list, the first layer first.

    Raises:
        UserError: TS-TRAIN-047 when the model keeps them in no list of their number.
    """
    number = model.config.get_text_config().num_hidden_layers
    lists = [(n, m) for n, m in model.named_modules() if isinstance(m, torch.nn.ModuleList) and len(m) == number]
    if not lists:
        raise _unknown(model, f"It has no list of {number} layers.")
    return max(lists, key=lambda found: sum(parameter.numel() for parameter in found[1].parameters()))


def block_ends(model: Any, *, attention: bool) -> dict[str, Any]:
    """The linear layers that end the blocks of each decoder layer: of the feed-forward block, and where asked of the attention.

    Raises:
        UserError: TS-TRAIN-047 when one of them is not found.
    """
    prefix, layers = decoder_layers(model)
    hidden = model.config.get_text_config().hidden_size
    ends: dict[str, Any] = {}
    for number, layer in enumerate(layers):
        found = {}
        for block, module in layer.named_children():
            last = [(n, m) for n, m in linears(module).items() if sizes(m)[1] == hidden]
            if last:
                found["att" in block] = (f"{prefix}.{number}.{block}.{last[-1][0]}", last[-1][1])
        for is_attention in (True, False) if attention else (False,):
            if is_attention not in found:
                kind = "attention" if is_attention else "feed-forward"
                raise _unknown(model, f"Layer {number} has no {kind} block that ends in a matrix.")
            ends[found[is_attention][0]] = found[is_attention][1]
    return ends


def _unknown(model: Any, reason: str) -> UserError:
    return UserError(
        "TS-TRAIN-047", f"The layers of a {type(model).__name__} are not found", why=reason,
        fix="Use an adapter that goes on layers by their names.",
    )  # fmt: skip


def replace(model: torch.nn.Module, name: str, module: torch.nn.Module) -> None:
    """Put `module` where `name` is."""
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)


def layer_seed(seed: int, name: str) -> int:
    """A seed that depends on the layer's name, and not on which other layers there are or in which order they are met."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:7], "big")


@contextmanager
def switched_off(layers: Iterable[Any]) -> Iterator[None]:
    """Within it, what each of `layers` adds is left out: their attribute `enabled` is False."""
    chosen = list(layers)
    for layer in chosen:
        layer.enabled = False
    try:
        yield
    finally:
        for layer in chosen:
            layer.enabled = True
