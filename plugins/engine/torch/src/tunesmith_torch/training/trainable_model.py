"""The model as the loop sees it: prepared, wrapped, and asked for outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import Adapter, Artifact, BringsBase, ModulesOnly, Step
from tunesmith.contracts.kinds.adapter import ConvertsLayers
from tunesmith_models import compute_type
from tunesmith_torch.adapter.coverage import AdapterCoverage
from tunesmith_torch.api import Objective, TokenSequence
from tunesmith_torch.data.packing import Inputs, Packed
from tunesmith_torch.model.architecture import adopt_architecture, architecture, check_head
from tunesmith_torch.model.dense.config import NotDense
from tunesmith_torch.model.dense.loader import load_dense
from tunesmith_torch.model.encoder import head_parts, head_weights, is_classifier, load_classifier, put_head, takes_head
from tunesmith_torch.model.head_files import read_heads
from tunesmith_torch.model.heads import Heads
from tunesmith_torch.model.loader import load_base, load_model, tell_base
from tunesmith_torch.model.model_impl import DIVIDED, engine_impl, transformers_impl
from tunesmith_torch.model.model_types import refuse_encoder
from tunesmith_torch.model.outputs import outputs
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.seed import derived, seed_everything

CLASSIFIER = ("transformers' classifier", "the model is an encoder, whose layers between it and the classes are its family's own")
REFERENCE, TEACHER = "reference", "teacher"  #: the step's inputs that are models beside the one that trains


class TrainableModel(torch.nn.Module):
    """Everything that a step computes, in one forward, so that a strategy may wrap it as a whole.

    Args:
        heads: of the objective.
        others: models beside it that do not train: the reference, where it is no part of the model itself, and the teacher.
        given: which of them are inputs of the step.
    """

    def __init__(self, model: Any, compute: torch.dtype, heads: Heads, others: Mapping[str, Any], given: Sequence[str] = ()) -> None:
        super().__init__()
        self.given = tuple(given)
        self.model, self.compute, self.heads, self.others = model, compute, heads, torch.nn.ModuleDict(others)
        self._asked, self._start = "", {}
        self.inputs_of: Callable[[TokenSequence], Inputs] | None = None  #: what the model is given of a sequence's media

    @property
    def packed(self) -> bool:
        """Whether sequences may share a forward pass, and what they have in common its tokens."""
        return architecture(self.model).packed

    @property
    def whole(self) -> bool:
        """Whether all tokens of a sequence go through, also those after the last that is asked about."""
        return architecture(self.model).whole

    @property
    def shares_media(self) -> bool:
        """Whether images and sounds that sequences begin with in common may be there once."""
        return all(architecture(model).shares_media for model in self.models)

    @property
    def head_weights(self) -> dict[str, torch.Tensor]:
        """Of the objective's heads, by name."""
        return head_weights(self.model) or self.heads.state_dict()

    @property
    def models(self) -> list[Any]:
        """All of them, the one that trains first."""
        return [self.model, *self.others.values()]

    def forward(self, batch: Packed) -> dict[str, torch.Tensor]:
        """What ``batch.wanted`` asks for, by name."""
        with autocast(batch.tokens.device, self.compute):
            return outputs(self.others[self._asked] if self._asked else self.model, batch, self.heads)

    @contextmanager
    def asking(self, other: str) -> Iterator[None]:
        """Within it, `forward` is of one of the others."""
        self._asked = other
        try:
            yield
        finally:
            self._asked, self._start = "", {}

    def remember_start(self) -> None:
        """What trains is kept as it is now: an adapter that goes on from an earlier step did not begin with nothing."""
        self._start = {name: value.detach().clone() for name, value in self.named_parameters() if value.requires_grad}

    @contextmanager
    def _as_at_start(self) -> Iterator[None]:
        parameters = dict(self.named_parameters())
        now = {name: parameters[name].detach().clone() for name in self._start}
        self._put(parameters, self._start)
        try:
            yield
        finally:
            self._put(parameters, now)

    @torch.no_grad()
    def _put(self, parameters: Mapping[str, torch.Tensor], values: Mapping[str, torch.Tensor]) -> None:
        for name, value in values.items():
            parameters[name].copy_(value)
        for module in self.modules():
            if hasattr(module, "reshard"):  # of fully_shard: what is whole is gathered anew
                module.reshard()

    @contextmanager
    def before_training(self, adapter: Adapter) -> Iterator[None]:
        """Within it, `forward` computes as the reference does: the one that was given, or the model before training."""
        if REFERENCE in self.others:
            with self.asking(REFERENCE):
                yield
        elif self._start:
            with self._as_at_start():
                yield
        else:
            with adapter.reference(self.model):
                yield


def autocast(device: torch.device, compute: torch.dtype) -> torch.autocast:
    """Mixed precision where `compute` is not float32: parameters that train are float32, products are not."""
    return torch.autocast(device.type, dtype=compute, enabled=compute != torch.float32)


def prepare(
    base: Artifact, adapter: Adapter, objective: Objective, settings: TrainSettings, device: torch.device, step: Step, *,
    plain: bool = False, model: Any = None, others: Mapping[str, Any] | None = None, begun: Path | None = None,
    reference: bool = True,
) -> TrainableModel:  # fmt: skip
    """The base model with the adapter on it: what trains in float32, what does not in the type computed in.

    Args:
        plain: by transformers' model.
        model: the base, if it is loaded already.
        others: the models of the step's other inputs, if they are loaded already.
        begun: directory of what the adapter saved, to go on from.
        reference: whether the objective's is to compute anything.
    """
    name, reason = compute_type(settings.dtype, "", step.placement, training=True)
    step.decide(f"dtype {name}", reason)
    compute = getattr(torch, name)
    asks = objective.asks
    if model is None and takes_head(base.path, asks.heads):
        model = load_classifier(base.path, asks.heads[0], derived(step.seed, "heads")).to(device).eval().requires_grad_(False)
        step.decide(*CLASSIFIER)
    elif model is None:
        model = load_base(base, adapter, device) if plain else _load(base, adapter, device, step)
    if plain and device.type != "meta":  # without values: other processes tell it, or the strategy computes with another
        step.decide(*DIVIDED)
    if others is None:
        others = {key: _load_beside(step.inputs[key], device, plain=plain) for key in other_models(step, objective, reference=reference)}
    own = reference and asks.reference and REFERENCE not in others
    seed_everything(step.seed, "adapter")
    coverage = AdapterCoverage(model)
    if begun is None:
        adapter.attach(model, seed=derived(step.seed, "adapter"), reference=own)
    else:
        adapter.load(model, begun)
    for part in head_parts(model).values():
        part.requires_grad_(True)
    step.decide(*coverage.decision(model))
    heads = Heads.new(() if is_classifier(model) else asks.heads, model, derived(step.seed, "heads"))
    if begun is not None and device.type != "meta":
        weights = read_heads(begun)[1]
        heads.put(dict(heads.state_dict()) | {name: value for name, value in weights.items() if name in heads.state_dict()})
        put_head(model, weights)
    if not (asks.log_probs or asks.teacher):
        freeze_output_head(model)
    cast(model, compute)
    beside = dict(others)
    if own and begun is None:
        with adapter.reference(model) as found_before:
            if found_before is not model:
                beside[REFERENCE] = found_before
    for other in beside.values():
        cast(other.requires_grad_(False), compute)
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if device.type != "meta":
        found = architecture(model)
        if found.headless:
            refuse_encoder(model.config.to_dict(), asks.parts)
        if asks.log_probs or asks.teacher:
            check_head(model, found)
        step.decide(
            "sequences packed without padding" if found.packed else "sequences run one by one",
            "they share forward passes; attention runs for each by itself" if found.packed else f"{type(model).__name__}: {found.reason}",
        )
        for other in beside.values():
            adopt_architecture(other, packed=found.packed)
    trainable = TrainableModel(model.train(), compute, heads, beside, given=tuple(others))
    for other in trainable.others.values():
        other.eval()
    return trainable


def other_models(step: Step, objective: Objective, *, reference: bool = True) -> list[str]:
    """The inputs with models beside the one that trains, which the objective asks for.

    Args:
        reference: whether that is to compute anything.
    """
    asked = {REFERENCE: reference and objective.asks.reference, TEACHER: bool(objective.asks.teacher)}
    return [name for name, wanted in asked.items() if wanted and name in step.inputs]


def _load(base: Artifact, adapter: Adapter, device: torch.device, step: Step) -> Any:
    """The engine's own decoder where it computes the same as transformers' model, and transformers' elsewhere."""
    converted = adapter.converted if isinstance(adapter, ConvertsLayers) else None
    brings = isinstance(adapter, BringsBase) and converted is None
    if brings or not (isinstance(adapter, ModulesOnly) and adapter.modules_only):
        return load_base(base, adapter, device)
    tell_base(base, adapter)
    try:
        model = load_dense(base.path, device, converted=converted)
    except NotDense as reason:
        step.decide(*transformers_impl(reason))
        return load_base(base, adapter, device)
    step.decide(*engine_impl(model.spec))
    return model


def _load_beside(source: Artifact, device: torch.device, *, plain: bool) -> Any:
    """A model that does not train."""
    if plain:
        return load_model(source, device)
    try:
        return load_dense(source.path, device)
    except NotDense:
        return load_model(source, device)


def freeze_output_head(model: Any) -> None:
    """For an objective that never asks which token comes next: what would get no gradient does not train. A matrix that the embedding
    shares does."""
    embedding = model.get_input_embeddings().weight
    head = model.get_output_embeddings()
    for parameter in head.parameters() if head is not None else ():
        if parameter is not embedding:
            parameter.requires_grad_(False)


def cast(model: torch.nn.Module, compute: torch.dtype) -> None:
    """Parameters that train to float32, frozen ones to `compute`; quantized ones stay."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(torch.float32 if parameter.requires_grad else compute)
