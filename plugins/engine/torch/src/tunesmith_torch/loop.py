"""The training loop: batches, accumulation, clipping, schedule, metrics, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from tunesmith.contracts import Adapter, Cancelled, Group, LogProbs, Objective, Step, TrainerStrategy, TunesmithError
from tunesmith_torch.batches import Order, schedule
from tunesmith_torch.checkpoints import Checkpoint, Checkpoints
from tunesmith_torch.log_probs import label_log_probs
from tunesmith_torch.packed import nothing, pack, size
from tunesmith_torch.policy import Policy, autocast
from tunesmith_torch.randomness import seed_everything
from tunesmith_torch.rates import rate
from tunesmith_torch.settings import TrainSettings


@dataclass
class Progress:
    """What has been done so far; all of it is in a checkpoint, none of it depends on time."""

    steps: int = 0
    tokens: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


class Loop:
    """Trains `policy` on `groups`. The result is a function of its arguments and the step's seed, however often it is interrupted."""

    def __init__(
        self, step: Step, settings: TrainSettings, policy: Policy, groups: Sequence[Group], objective: Objective, adapter: Adapter,
        strategy: TrainerStrategy, device: torch.device,
    ) -> None:  # fmt: skip
        self.step, self.settings, self.policy, self.groups = step, settings, policy, groups
        self.objective, self.adapter, self.strategy, self.device = objective, adapter, strategy, device
        self.sizes = [sum(size(sequence) for sequence in group.sequences) for group in groups]
        self.order = Order(len(groups), settings.batch_size, step.seed)
        self.total = self.order.steps(settings.epochs, settings.max_steps)
        self.module, self.optimizer = strategy.wrap(policy, self._optimizer)
        self.checkpoints = Checkpoints(step.work / "checkpoints", keep=settings.keep_checkpoints, log=step.log)
        self.progress = Progress()
        self.metric_names = self._metric_names()
        self._saved_at, self._saved_steps = time.monotonic(), 0

    def run(self) -> Progress:
        """Train from the newest checkpoint to the end.

        Raises:
            TunesmithError: TS-TRAIN-001 when the loss or the gradients are no longer finite.
            Cancelled: the step was asked to stop; what was done is in a checkpoint.
        """
        self._resume()
        try:
            while self.progress.steps < self.total:
                self._step(self.progress.steps)
        except Cancelled:
            # Other ranks may be in another step by now, and a checkpoint needs them all.
            if self.step.placement.processes == 1 and self.progress.steps > self._saved_steps:
                self._save()
            raise
        return self.progress

    def _optimizer(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        matrices, vectors = [], []
        for parameter in parameters:
            (matrices if parameter.ndim > 1 else vectors).append(parameter)
        # Norms' weights and biases are not decayed, as everywhere.
        sets = [{"params": matrices, "weight_decay": self.settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        return torch.optim.AdamW(
            [s for s in sets if s["params"]], lr=self.settings.learning_rate, betas=(self.settings.beta1, self.settings.beta2),
            fused=self.device.type in ("cpu", "cuda"),
        )  # fmt: skip

    def _step(self, number: int) -> None:
        started = time.monotonic()
        chosen = self.order.batch(number)
        batch = [self.groups[i] for i in chosen]
        weight = sum(self.objective.weight(group) for group in batch)
        placement = self.step.placement
        micros = schedule([self.sizes[i] for i in chosen], placement.processes, self.settings.micro_tokens)[placement.rank]
        seed_everything(self.step.seed, "step", number, placement.rank)
        sums = torch.zeros(1 + len(self.metric_names), device=self.device)
        for position, micro in enumerate(micros):
            self.step.check_cancelled()
            with self.strategy.accumulating(self.module, last=position == len(micros) - 1):
                sums += self._micro_batch([batch[i] for i in micro], weight)
        loss, *values = (self.strategy.sum(sums) / weight).tolist()
        norm = self.strategy.clip(self.module, self.settings.max_grad_norm)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise diverged(number + 1, loss, norm)
        share = rate(self.settings.schedule, number, self.total, self.settings.warmup)
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = self.settings.learning_rate * share
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        tokens = sum(self.sizes[i] for i in chosen)
        self._report(
            {"loss": loss, "grad_norm": norm, "learning_rate": self.settings.learning_rate * share}
            | dict(zip(self.metric_names, values, strict=True)),
            tokens, time.monotonic() - started,
        )  # fmt: skip
        if self._due():
            self._save()

    def _micro_batch(self, groups: Sequence[Group], weight: float) -> torch.Tensor:
        """Add to the gradients; (1 + metrics,) the loss and the metrics, summed over the groups."""
        if not groups:
            (self.module(nothing(self.device)).sum() * 0).backward()
            return torch.zeros(1 + len(self.metric_names), device=self.device)
        batch = pack((sequence for group in groups for sequence in group.sequences), self.device, share=self.policy.packed)
        reference = self._reference(batch) if self.objective.needs_reference else None
        result = self.objective.loss(LogProbs(self.module(batch), reference, batch.lengths, groups))
        (result.total / weight).backward()
        return torch.stack([result.total.detach(), *(result.metrics[name].detach().float() for name in self.metric_names)])

    @torch.no_grad()
    def _reference(self, batch: Any) -> torch.Tensor:
        with self.adapter.reference(self.policy.model) as model:
            if model is self.policy.model:  # through the strategy, which may hold its weights in pieces
                self.module.eval()
                values = self.module(batch)
                self.module.train()
                return values
            with autocast(self.device, self.policy.compute):
                return label_log_probs(model, batch)

    def _metric_names(self) -> list[str]:
        """What the objective reports: asked of one group, because a rank without any must add zeros for the same ones."""
        group = self.groups[0]
        lengths = pack(group.sequences).lengths
        values = torch.zeros(sum(lengths), device=self.device)
        return sorted(self.objective.loss(LogProbs(values, values, lengths, [group])).metrics)

    def _report(self, point: dict[str, float], tokens: int, seconds: float) -> None:
        self.progress.steps += 1
        self.progress.tokens += tokens
        number = self.progress.steps
        self.progress.history.append({"step": number, "epoch": round(number / self.order.per_epoch, 4)} | point)
        if number % self.settings.log_every == 0 or number == self.total:
            self._tell(self.progress.history[-1])
            self.step.metric("tokens_per_second", tokens / seconds, number)
        self.step.progress(number, self.total, what="train", unit="steps")

    def _tell(self, point: dict[str, float]) -> None:
        for name, value in point.items():
            if name not in ("step", "epoch"):
                self.step.metric(name, value, int(point["step"]))

    def _due(self) -> bool:
        every, seconds = self.settings.checkpoint_every, self.settings.checkpoint_seconds
        done = self.progress.steps - self._saved_steps
        late = bool(seconds) and time.monotonic() - self._saved_at >= seconds
        if self.step.placement.processes > 1:  # the first rank's clock counts
            late = bool(self.strategy.sum(torch.tensor(float(late and self.step.placement.rank == 0), device=self.device)))
        return (bool(every) and done >= every) or late

    def _save(self) -> None:
        tensors = self.strategy.state(self.module, self.optimizer)
        if self.step.placement.rank == 0:
            state = {
                "identity": self._identity(), "tokens": self.progress.tokens, "history": self.progress.history,
            }  # fmt: skip
            self.checkpoints.save(Checkpoint(self.progress.steps, tensors, state))
        self._saved_at, self._saved_steps = time.monotonic(), self.progress.steps

    def _resume(self) -> None:
        found = self.checkpoints.newest()
        if found is not None and found.state["identity"] == self._identity():
            self.strategy.load_state(self.module, self.optimizer, found.tensors)
            self.progress = Progress(found.step, found.state["tokens"], list(found.state["history"]))
            self._saved_steps = found.step
            self.step.log(f"resumed at step {found.step} of {self.total}")
            for point in self.progress.history:
                self._tell(point)
        self.step.progress(self.progress.steps, self.total, what="train", unit="steps")
        self.strategy.barrier()

    def _identity(self) -> dict[str, int]:
        """What the order of the data depends on: with another one the position in it would mean other rows."""
        return {"seed": self.step.seed, "groups": len(self.groups), "batch_size": self.settings.batch_size}


def diverged(step: int, loss: float, norm: float) -> TunesmithError:
    return TunesmithError(
        "TS-TRAIN-001", f"Training diverged at step {step}: loss {loss}, gradient norm {norm}",
        why="A number grew beyond what floating point holds. Usually the learning rate is too high, or a row is broken.",
        fix="Lower `learning_rate`, set `max_grad_norm: 1.0`, or train in `precision: float32`.",
    )  # fmt: skip
