"""The model as a strategy gets it: what is to be loaded, and how, before anybody has loaded it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import Adapter, Artifact, Step, UserError
from tunesmith_torch.adapter.target_modules import decoder_layers
from tunesmith_torch.api import Objective
from tunesmith_torch.estimate.adapter_values import values_needed
from tunesmith_torch.model.architecture import adopt_architecture, note_media_sharing
from tunesmith_torch.model.encoder import empty_classifier, takes_head
from tunesmith_torch.model.loader import empty_model
from tunesmith_torch.model.sanity_checks import check_weights
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.trainable_model import REFERENCE, TrainableModel, other_models, prepare


class BaseWithAdapter:
    """The base model of a step with its adapter on it.

    Args:
        begin: what the adapter does with a loaded model before the first step.
        begun: directory of what the adapter saved in an earlier step, from which it goes on.
        reference: whether the objective's reference is to compute anything.
    """

    def __init__(
        self, base: Artifact, adapter: Adapter, objective: Objective, settings: TrainSettings, step: Step,
        begin: Callable[[TrainableModel, torch.device], None], begun: Path | None = None, *, reference: bool = True,
    ) -> None:  # fmt: skip
        self.path: Path = base.path
        self._base, self._adapter, self._objective, self._settings, self._step = base, adapter, objective, settings, step
        self._begin, self._begun, self._reference = begin, begun, reference and objective.asks.reference
        self.trained = self.parameters = 0  #: how many numbers train, and how many there are, once the model is there

    def load(self, device: torch.device | str, *, separate: bool = False) -> TrainableModel:
        """With its weights, on `device`; with `separate` by transformers' model, for the engine's own moves matrices together."""
        device = torch.device(device)
        trainable = self._prepare(device, plain=separate)
        check_weights(trainable.model, self._base)
        self._begin(trainable, device)
        return trainable

    def empty(self) -> TrainableModel:
        """On the meta device.

        Raises:
            UserError: TS-TRAIN-073 for an adapter that has to see values when it is put on the model.
        """
        try:
            with torch.device("meta") as device:
                names = other_models(self._step, self._objective, reference=self._reference)
                others = {key: empty_model(self._step.inputs[key]) for key in names}
                heads = self._objective.asks.heads
                own = takes_head(self.path, heads)
                model = empty_classifier(self.path, heads[0]) if own else empty_model(self._base)
                trainable = self._prepare(device, plain=True, model=model, others=others)
                self._begin(trainable, device)
                return trainable
        except (NotImplementedError, RuntimeError) as error:  # what torch raises for an operation that has to see values
            if not isinstance(error, NotImplementedError) and "meta" not in str(error):
                raise  # another fault, which is not the adapter's start
            raise values_needed(f"{type(self._adapter).__name__}: {error}") from error

    def agree(self, trainable: TrainableModel, ranks: Ranks) -> None:
        """After every rank has its part: what the first one found out by trying the model holds for those who had no values to try."""
        if ranks.count > 1:
            packed = ranks.any(ranks.first and trainable.packed)
            shares = ranks.any(ranks.first and trainable.shares_media)
            if not ranks.first:
                for model in trainable.models:
                    adopt_architecture(model, packed=packed)
                    note_media_sharing(model, shares=shares)

    def remember_start(self, trainable: TrainableModel) -> None:
        """For an adapter that goes on, where the objective compares with the model as it was before: keep what trains as it is now.

        Raises:
            UserError: TS-TRAIN-111 where each process has its pieces only while a layer computes.
        """
        if self._begun is None or not self._reference or REFERENCE in trainable.given:
            return
        if any(hasattr(parameter, "ds_id") for parameter in trainable.parameters()):
            raise UserError(
                "TS-TRAIN-111", "An adapter that is trained further can't be compared with itself in stage 3 of DeepSpeed",
                why="Its values as they were would have to be gathered and put in place for each batch.",
                fix="Fold it in by a step of its own (`merge`) and train from there, or use stage 1 or 2, or the strategy `fsdp`.",
            )  # fmt: skip
        trainable.remember_start()

    def layers(self, model: TrainableModel) -> Sequence[torch.nn.Module]:
        """The decoder's, and those of the models beside it.

        Raises:
            UserError: TS-TRAIN-047 when the model keeps them in no list of their number.
        """
        return [layer for each in model.models for layer in decoder_layers(each)[1]]

    def _prepare(self, device: torch.device, *, plain: bool, model: Any = None, others: Mapping[str, Any] | None = None) -> TrainableModel:
        made = prepare(
            self._base, self._adapter, self._objective, self._settings, device, self._step, plain=plain, model=model, others=others,
            begun=self._begun, reference=self._reference,
        )  # fmt: skip
        self.trained = sum(parameter.numel() for parameter in made.parameters() if parameter.requires_grad)
        self.parameters = sum(parameter.numel() for parameter in made.model.parameters())
        return made
