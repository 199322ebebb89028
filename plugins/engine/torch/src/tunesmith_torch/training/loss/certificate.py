"""The first batches of a training step, held against the objective's formula: that what is trained is what was asked for.

What the model gave for each batch is put together over micro-batches and ranks. The objective's `formula` computes the loss of it as a
whole, in float64, and its gradient with respect to the model's outputs; both must be what training reported, and what went backward into
the model. So it covers the loss with its settings, the weights of rows and the cut into micro-batches and ranks; not the model, nor what a
strategy does with gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch

from tunesmith.contracts import Step, TunesmithError
from tunesmith_torch.api import Group, MicroBatch, TopTokens
from tunesmith_torch.data.packing import places_of
from tunesmith_torch.model.log_probs import CANDIDATES, ENTROPY, LOG_PROBS, LOG_SUM_SQ
from tunesmith_torch.model.outputs import HIDDEN, of_head
from tunesmith_torch.training.loss.batch_loss import BatchLoss, Beside

BATCHES = 2  # that are looked at
TOLERANCE = 1e-3  # of float32 sums over thousands of tokens; what is reported is what was found
_REFERENCE, _TEACHER_IDS, _TEACHER_LOG_PROBS, _GRADIENT = "reference", "teacher/ids", "teacher/log_probs", "gradient of "


class Certificate:
    """Looks at the first batches, and says once what it has found."""

    def __init__(self, step: Step, batch_loss: BatchLoss) -> None:
        self._step, self._batch_loss, self._seen, self._farthest = step, batch_loss, 0, 0.0

    def witness(self, groups: Sequence[Group], beside: Beside) -> Witness:
        """Of a batch that is about to be computed."""
        return Witness(self._batch_loss, groups, beside, self._add) if self._seen < BATCHES else Witness(self._batch_loss, (), beside, None)

    def _add(self, difference: float) -> None:
        self._seen, self._farthest = self._seen + 1, max(self._farthest, difference)
        if self._seen == BATCHES:
            self._step.decide(
                f"loss equal to its formula to {self._farthest:.0e}",
                f"loss and gradient of the first {BATCHES} batches against {type(self._batch_loss.objective).__name__}'s in float64",
            )


class Witness:
    """Keeps what went into a batch's loss, and what came out of it.

    Args:
        found: told the largest difference; None for a witness that does not look.
    """

    def __init__(
        self, batch_loss: BatchLoss, groups: Sequence[Group], beside: Beside, found: Callable[[float], None] | None
    ) -> None:  # fmt: skip
        self._batch_loss, self._groups, self._beside, self._found = batch_loss, groups, beside, found
        self._kept: list[tuple[int, str, torch.Tensor]] = []
        self._factors: dict[int, torch.Tensor] = {}

    def sees(self, output: Mapping[str, torch.Tensor], value: torch.Tensor, at: int) -> None:
        """The outputs for a micro-batch and what became of them, before the backward pass."""
        if self._found is None or not self._beside.own[at]:
            return
        value.register_hook(partial(self._sees_factor, at))
        for name, tensor in output.items():
            self._kept.append((at, name, tensor.detach()))
            if tensor.requires_grad:
                tensor.register_hook(partial(self._sees_gradient, at, name))
        if (reference := self._beside.references[at]) is not None:
            self._kept.append((at, _REFERENCE, reference))
        if self._beside.teachers:
            ids, log_probs = self._beside.teachers[at]
            self._kept += [(at, _TEACHER_IDS, ids), (at, _TEACHER_LOG_PROBS, log_probs)]

    def _sees_factor(self, at: int, gradient: torch.Tensor) -> None:
        """What the strategy, or a scaler, multiplies the loss with."""
        self._factors[at] = gradient.detach()

    def _sees_gradient(self, at: int, name: str, gradient: torch.Tensor) -> None:
        self._kept.append((at, _GRADIENT + name, gradient.detach() / self._factors[at]))

    def check(self, loss: float, number: int) -> None:
        """After the backward pass of a batch whose loss was reported as `loss`.

        Raises:
            TunesmithError: TS-TRAIN-090 when loss or gradient are not those of the formula.
        """
        if self._found is None:
            return
        values = {name: self._together(name, width) for name, width in self._widths().items()}
        leaves = {name: values[name].requires_grad_() for name in self._with_gradient()}
        mean = self._batch_loss.objective.formula(self._batch(values))
        wanted, expected = torch.autograd.grad(mean, list(leaves.values()), allow_unused=True), float(mean.detach())
        differences = {"loss": abs(loss - expected) / max(1.0, abs(expected))}
        for name, gradient in zip(leaves, wanted, strict=True):
            found = self._together(_GRADIENT + name, self._widths()[name])
            right = torch.zeros_like(found) if gradient is None else gradient
            scale = max(float(right.abs().max()) if right.numel() else 0.0, 1e-12)
            differences[f"gradient of {name}"] = float((found - right).abs().max()) / scale if found.numel() else 0.0
        what, farthest = max(differences.items(), key=lambda pair: pair[1])
        if not farthest <= TOLERANCE:  # nor is NaN
            if not torch.isfinite(torch.tensor(loss)):
                return  # it diverged: that is told by whoever looks at the loss
            raise TunesmithError(
                "TS-TRAIN-090", f"The loss in training is not the objective's: its {what} is off by {farthest:.2g}",
                why=f"Batch {number + 1} was computed again by the formula of {type(self._batch_loss.objective).__name__}: loss "
                f"{expected:.6g}, and training had {loss:.6g}.",
                fix="Report it to the objective's author: training with it would minimise something else.",
                facts={"differences": differences},
            )  # fmt: skip
        self._found(farthest)

    def _widths(self) -> dict[str, int]:
        """Numbers of a row of each output; 0: it is one number."""
        asks = self._batch_loss.asks
        found = {LOG_PROBS: 0} if asks.log_probs else {}
        found |= {_REFERENCE: 0} if asks.compares else {}
        found |= {ENTROPY: 0} if asks.entropy else {}
        found |= {LOG_SUM_SQ: 0} if asks.log_sum_sq else {}
        found |= dict.fromkeys((CANDIDATES, _TEACHER_IDS, _TEACHER_LOG_PROBS), asks.teacher) if asks.teacher else {}
        found |= {of_head(head.name): head.width for head in asks.heads}
        return found | ({HIDDEN: self._batch_loss.hidden_size} if asks.hidden else {})

    def _with_gradient(self) -> list[str]:
        asks = self._batch_loss.asks
        constant = {_REFERENCE, _TEACHER_IDS, _TEACHER_LOG_PROBS, LOG_SUM_SQ} | ({ENTROPY} if asks.entropy != "gradient" else set())
        return [name for name in self._widths() if name not in constant]

    def _together(self, name: str, width: int) -> torch.Tensor:
        """(rows of the batch, width) float64 of all ranks, in the batch's order."""
        of_places = name.removeprefix(_GRADIENT).partition("/")[0] in ("heads", HIDDEN)
        counts = [_rows(group, of_places=of_places) for group in self._groups]
        starts = [sum(counts[:at]) for at in range(len(counts))]
        shape = (sum(counts), width) if width else (sum(counts),)
        whole = torch.zeros(shape, dtype=torch.float64, device=self._batch_loss.device)
        for at, kept, value in self._kept:
            if kept == name:
                own = self._beside.own[at]
                for group, piece in zip(own, value.split([counts[group] for group in own]), strict=True):
                    whole[starts[group] : starts[group] + counts[group]] = piece.to(whole.dtype)
        return self._batch_loss.sum_ranks(whole)

    def _batch(self, values: Mapping[str, torch.Tensor]) -> MicroBatch:
        """All of the batch as one."""
        own = [list(range(len(self._groups)))]
        statistics = self._beside.statistics.double() if self._beside.statistics is not None else None
        state = {name: value.double() for name, value in self._beside.state.items()}
        reference = values.get(_REFERENCE)
        teachers = (TopTokens(values[_TEACHER_IDS].long(), values[_TEACHER_LOG_PROBS]),) if _TEACHER_IDS in values else ()
        beside = replace(self._beside, references=[reference], teachers=teachers, own=own, statistics=statistics, state=state)
        return self._batch_loss.micro_batch(values, self._groups, beside, 0)


def _rows(group: Group, *, of_places: bool) -> int:
    return sum(len(places_of(sequence)) if of_places else sum(sequence.labels[1:]) for sequence in group.sequences)
