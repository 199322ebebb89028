"""The training loop: batches, accumulation, clipping, schedule, metrics, checkpoints."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Sequence

import torch

from tunesmith.contracts import Adapter, Cancelled, Group, Objective, Step, TrainerStrategy, TunesmithError
from tunesmith_torch.batches import Order, schedule
from tunesmith_torch.beginning import begin
from tunesmith_torch.computation import Computation
from tunesmith_torch.evolution import Evolution
from tunesmith_torch.optimizing import make_optimizer, own_rates, set_rate
from tunesmith_torch.packed import size
from tunesmith_torch.policy import Policy
from tunesmith_torch.progress import Narrator, Progress
from tunesmith_torch.randomness import seed_everything
from tunesmith_torch.rates import rate
from tunesmith_torch.saving import Saving
from tunesmith_torch.settings import TrainSettings


class Loop:
    """Trains `policy` on `groups`. The result is a function of its arguments and the step's seed, however often it is interrupted."""

    def __init__(
        self, step: Step, settings: TrainSettings, policy: Policy, groups: Sequence[Group], objective: Objective, adapter: Adapter,
        strategy: TrainerStrategy, device: torch.device,
    ) -> None:  # fmt: skip
        self.step, self.settings, self.policy, self.groups = step, settings, policy, groups
        self.objective, self.adapter, self.strategy = objective, adapter, strategy
        self.sizes = [sum(size(sequence) for sequence in group.sequences) for group in groups]
        self.order = Order(len(groups), settings.batch_size, step.seed)
        self.total = self.order.steps(settings.epochs, settings.max_steps)
        begin(adapter, policy, groups, self.order, device, micro_tokens=settings.micro_tokens, step=step)
        rates = own_rates(adapter, policy.model)
        made = functools.partial(make_optimizer, settings=settings, device=device, rates=rates)
        self.module, self.optimizer = strategy.wrap(policy, made)
        self.computation = Computation(policy, self.module, objective, adapter, device, groups[0])
        identity = {"seed": step.seed, "groups": len(groups), "batch_size": settings.batch_size}
        self.evolution = Evolution(adapter, policy.model)
        self.saving = Saving(step, settings, strategy, self.module, self.optimizer, self.evolution, identity, device)
        self.narrator = Narrator(step, self.total, settings.log_every)
        self.progress = Progress()

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
            if self.step.placement.processes == 1 and self.progress.steps > self.saving.saved_steps:
                self.saving.save(self.progress)
            raise
        return self.progress

    def _resume(self) -> None:
        found = self.saving.resume()
        if found is not None:
            self.progress = found
            self.narrator.resumed(found)
        self.narrator.bar(self.progress.steps)
        self.strategy.barrier()

    def _step(self, number: int) -> None:
        started = time.monotonic()
        chosen = self.order.batch(number)
        loss, *values = self._gradients(number, chosen)
        norm = self.strategy.clip(self.module, self.settings.max_grad_norm)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise diverged(number + 1, loss, norm)
        learning_rate = self.settings.learning_rate * rate(self.settings.schedule, number, self.total, self.settings.warmup)
        set_rate(self.optimizer, learning_rate)
        self.optimizer.step()
        self.evolution.stepped(number + 1, self.total)
        self.optimizer.zero_grad(set_to_none=True)
        tokens = sum(self.sizes[i] for i in chosen)
        self._note(
            {"loss": loss, "grad_norm": norm, "learning_rate": learning_rate}
            | dict(zip(self.computation.metrics, values, strict=True)),
            tokens,
        )  # fmt: skip
        self.narrator.stepped(self.progress, tokens, time.monotonic() - started)
        if self.saving.due(self.progress):
            self.saving.save(self.progress)

    def _gradients(self, number: int, chosen: Sequence[int]) -> list[float]:
        """Those of the batch, left at the parameters; its loss and metrics."""
        batch = [self.groups[i] for i in chosen]
        weight = sum(self.objective.weight(group) for group in batch)
        placement = self.step.placement
        micros = schedule([self.sizes[i] for i in chosen], placement.processes, self.settings.micro_tokens)[placement.rank]
        seed_everything(self.step.seed, "step", number, placement.rank)
        sums = self.computation.nothing()
        for position, micro in enumerate(micros):
            self.step.check_cancelled()
            with self.strategy.accumulating(self.module, last=position == len(micros) - 1):
                first = position == 0 and placement.rank == 0
                sums += self.computation.learn([batch[i] for i in micro], weight, penalised=first)
        return (self.strategy.sum(sums) / weight).tolist()

    def _note(self, point: dict[str, float], tokens: int) -> None:
        self.progress.steps += 1
        self.progress.tokens += tokens
        number = self.progress.steps
        self.progress.history.append({"step": number, "epoch": round(number / self.order.per_epoch, 4)} | point)


def diverged(step: int, loss: float, norm: float) -> TunesmithError:
    return TunesmithError(
        "TS-TRAIN-001", f"Training diverged at step {step}: loss {loss}, gradient norm {norm}",
        why="A number grew beyond what floating point holds. Usually the learning rate is too high, or a row is broken.",
        fix="Lower `learning_rate`, set `max_grad_norm: 1.0`, or train in `precision: float32`.",
    )  # fmt: skip
