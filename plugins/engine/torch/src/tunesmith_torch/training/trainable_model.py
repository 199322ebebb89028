"""The model as the loop sees it: prepared, wrapped, and asked for log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from tunesmith.contracts import Adapter, Artifact, BringsBase, ModulesOnly, Step
from tunesmith_models import compute_type
from tunesmith_torch.adapter.coverage import AdapterCoverage
from tunesmith_torch.api import Objective, TokenSequence
from tunesmith_torch.data.packing import Inputs, Packed
from tunesmith_torch.model.architecture import adopt_architecture, architecture
from tunesmith_torch.model.dense.config import NotDense
from tunesmith_torch.model.dense.loader import load_dense
from tunesmith_torch.model.loader import load_base
from tunesmith_torch.model.log_probs import label_log_probs
from tunesmith_torch.model.model_impl import DIVIDED, engine_impl, transformers_impl
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.seed import derived, seed_everything


class TrainableModel(torch.nn.Module):
    """Everything that a step computes, in one forward, so that a strategy may wrap it as a whole.

    Args:
        reference: the model before training, where the adapter keeps a copy of it.
    """

    def __init__(self, model: Any, compute: torch.dtype, reference: Any = None) -> None:
        super().__init__()
        self.model, self.compute, self.reference = model, compute, reference
        self._asks_reference = False
        self.inputs_of: Callable[[TokenSequence], Inputs] | None = None  #: what the model is given of a sequence's media

    @property
    def packed(self) -> bool:
        """Whether sequences may share a forward pass, and what they have in common its tokens."""
        return architecture(self.model).packed

    def forward(self, batch: Packed) -> torch.Tensor:
        """(labels,) float32 log-probabilities."""
        with autocast(batch.tokens.device, self.compute):
            return label_log_probs(self.reference if self._asks_reference else self.model, batch)

    @contextmanager
    def before_training(self, adapter: Adapter) -> Iterator[None]:
        """Within it, `forward` computes as before training."""
        with adapter.reference(self.model) as model:
            self._asks_reference = model is not self.model
            try:
                yield
            finally:
                self._asks_reference = False


def autocast(device: torch.device, compute: torch.dtype) -> torch.autocast:
    """Mixed precision where `compute` is not float32: parameters that train are float32, products are not."""
    return torch.autocast(device.type, dtype=compute, enabled=compute != torch.float32)


def prepare(
    base: Artifact, adapter: Adapter, objective: Objective, settings: TrainSettings, device: torch.device, step: Step, *,
    plain: bool = False, model: Any = None,
) -> TrainableModel:  # fmt: skip
    """The base model with the adapter on it: what trains in float32, what does not in the type computed in.

    Args:
        plain: by transformers' model.
        model: the base, if it is loaded already.
    """
    name, reason = compute_type(settings.dtype, "", step.placement, training=True)
    step.decide(f"dtype {name}", reason)
    compute = getattr(torch, name)
    if model is None:
        model = load_base(base, adapter, device) if plain else _load(base, adapter, device, step)
    if plain and device.type != "meta":  # without values: other processes tell it, or the strategy computes with another
        step.decide(*DIVIDED)
    seed_everything(step.seed, "adapter")
    coverage = AdapterCoverage(model)
    adapter.attach(model, seed=derived(step.seed, "adapter"), reference=objective.needs_reference)
    step.decide(*coverage.decision(model))
    cast(model, compute)
    reference = None
    if objective.needs_reference:
        with adapter.reference(model) as found_before:
            if found_before is not model:
                reference = found_before
                cast(reference, compute)
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if device.type != "meta":
        found = architecture(model)
        step.decide(
            "sequences packed without padding" if found.packed else "sequences run one by one",
            "they share forward passes; attention runs for each by itself" if found.packed else f"{type(model).__name__}: {found.reason}",
        )
        if reference is not None:
            adopt_architecture(reference, packed=found.packed)
    return TrainableModel(model.train(), compute, reference)


def _load(base: Artifact, adapter: Adapter, device: torch.device, step: Step) -> Any:
    """The engine's own decoder where it computes the same as transformers' model, and transformers' elsewhere."""
    if isinstance(adapter, BringsBase) or not (isinstance(adapter, ModulesOnly) and adapter.modules_only):
        return load_base(base, adapter, device)
    try:
        model = load_dense(base.path, device)
    except NotDense as reason:
        step.decide(*transformers_impl(reason))
        return load_base(base, adapter, device)
    step.decide(*engine_impl(model.spec))
    return model


def cast(model: torch.nn.Module, compute: torch.dtype) -> None:
    """Parameters that train to float32, frozen ones to `compute`; quantized ones stay."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(torch.float32 if parameter.requires_grad else compute)
