"""The training loop: batches, accumulation, clipping, schedule, metrics, validation, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch

from tunesmith.contracts import Adapter, Cancelled, Objective, Step, TrainerStrategy, TunesmithError
from tunesmith_torch.batches import Order, schedule
from tunesmith_torch.beginning import begin
from tunesmith_torch.best import Best
from tunesmith_torch.computation import Computation
from tunesmith_torch.evolution import Evolution
from tunesmith_torch.groups import Learnable
from tunesmith_torch.memory import fitting
from tunesmith_torch.optimizing import builder, chosen_schedule, in_use, put_in_use, set_rate
from tunesmith_torch.policy import Policy
from tunesmith_torch.progress import Narrator, Progress
from tunesmith_torch.randomness import seed_everything
from tunesmith_torch.rates import rate
from tunesmith_torch.saving import Saving
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.validation import LOSS, Standing, Validation, standing


class Loop:
    """Trains `policy` on `groups`. The result is a function of its arguments and the step's seed, however often it is interrupted."""

    def __init__(
        self, step: Step, settings: TrainSettings, policy: Policy, groups: Learnable, objective: Objective, adapter: Adapter,
        strategy: TrainerStrategy, device: torch.device, validation: Learnable | None = None,
    ) -> None:  # fmt: skip
        self.step, self.settings, self.policy, self.groups = step, settings, policy, groups
        self.objective, self.adapter, self.strategy = objective, adapter, strategy
        self.sizes = groups.sizes
        self.order = Order(len(groups), settings.batch_size, step.seed)
        self.total = self.order.steps(settings.epochs, settings.max_steps)
        begin(adapter, policy, groups, self.order, device, micro_tokens=settings.micro_tokens, step=step)
        optimizer = step.provider("optimizer")
        self.schedule = chosen_schedule(step, settings, optimizer)
        self.module, self.optimizer = strategy.wrap(policy, builder(optimizer, policy, adapter, settings.learning_rate, device))
        self.computation = Computation(policy, self.module, objective, adapter, device, groups[0])
        identity = {"seed": step.seed, "groups": len(groups), "batch_size": settings.batch_size}
        self.evolution = Evolution(adapter, policy.model)
        self.saving = Saving(step, settings, strategy, self.module, self.optimizer, self.evolution, identity, device)
        self.best = Best(step, strategy, self.module, self.optimizer, self.evolution)
        self.validation = Validation(step, settings, validation, self.computation, strategy)
        self.standing = Standing()
        self.narrator = Narrator(step, self.total, settings.log_every)
        self.progress = Progress()

    def run(self) -> Progress:
        """Train from the newest checkpoint to the end.

        Raises:
            TunesmithError: TS-TRAIN-001 when the loss or the gradients are no longer finite; TS-TRAIN-013 and -014 when memory is out.
            Cancelled: the step was asked to stop; what was done is in a checkpoint.
        """
        self._resume()
        try:
            if self.progress.steps:
                self._validate()
            while self.progress.steps < self.total and not self._patience_is_over():
                self._step(self.progress.steps)
        except Cancelled:
            # Other ranks may be in another step by now, and a checkpoint needs them all.
            if self.step.placement.processes == 1 and self.progress.steps > self.saving.saved_steps:
                self._save()
            raise
        put_in_use(self.optimizer)
        self._choose()
        return self.progress

    def _resume(self) -> None:
        found = self.saving.resume()
        if found is not None:
            self.progress = found
            self.standing = standing(found.history, self.settings.min_delta)
            self.narrator.resumed(found)
        self.narrator.bar(self.progress.steps)
        self.strategy.barrier()

    def _step(self, number: int) -> None:
        started = time.monotonic()
        chosen = self.order.batch(number)
        loss, *values = self._gradients(number, chosen)
        norm = self.strategy.clip(self.module, self.settings.max_grad_norm)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            self.saving.forget_bad(self.progress)
            raise diverged(number + 1, loss, norm)
        learning_rate = self.settings.learning_rate * rate(self.schedule, number, self.total, self.settings.warmup)
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
        self._validate()
        if self.saving.due(self.progress):
            self._save()

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
            tokens = sum(self.sizes[chosen[i]] for i in micro)
            with fitting(len(micro), tokens), self.strategy.accumulating(self.module, last=position == len(micros) - 1):
                first = position == 0 and placement.rank == 0
                sums += self.computation.learn([batch[i] for i in micro], weight, penalised=first)
        return (self.strategy.sum(sums) / weight).tolist()

    def _save(self) -> None:
        self.saving.save(self.progress)
        self.best.only(self.standing.step)

    def _validate(self) -> None:
        """If it is due after the newest step, and was not done before an interruption."""
        progress = self.progress
        if LOSS in progress.history[-1] or not self.validation.due(progress.steps, self.order.per_epoch, self.total):
            return
        with in_use(self.optimizer):
            found = self.validation.measure()
        if not math.isfinite(found[LOSS]):
            raise diverged(progress.steps, found[LOSS], progress.history[-1]["grad_norm"])
        progress.history[-1] |= found
        self.narrator.point({"step": progress.steps} | found)
        self.standing = standing(progress.history, self.settings.min_delta)
        if self.settings.keep == "best" and self.standing.step == progress.steps:
            with in_use(self.optimizer):
                self.best.keep(progress.steps)

    def _patience_is_over(self) -> bool:
        return bool(self.settings.patience) and self.standing.waited >= self.settings.patience

    def _choose(self) -> None:
        """Of a run with validation: why it ended before its time, and which parameters are saved."""
        done, best = self.progress.steps, self.standing
        if done < self.total:
            self.step.decide(
                f"stopped after step {done} of {self.total}",
                f"the validation loss did not fall in {best.waited} validations; it was least after step {best.step}: {best.loss:.4f}",
            )
            self.narrator.bar(done, of=done)
        if self.settings.keep == "best" and best.step not in (0, done):
            self.best.load(best.step)
            last = next(point[LOSS] for point in reversed(self.progress.history) if LOSS in point)
            self.step.decide(
                f"the parameters after step {best.step} are kept",
                f"their validation loss is the least: {best.loss:.4f}; the last is {last:.4f} (setting `keep`)",
            )

    def _note(self, point: dict[str, float], tokens: int) -> None:
        self.progress.steps += 1
        self.progress.tokens += tokens
        number = self.progress.steps
        self.progress.history.append({"step": number, "epoch": round(number / self.order.per_epoch, 4)} | point)


def diverged(step: int, loss: float, norm: float) -> TunesmithError:
    return TunesmithError(
        "TS-TRAIN-001", f"Training diverged at step {step}: loss {loss}, gradient norm {norm}",
        why="A number grew beyond what floating point holds. Usually the learning rate is too high, or a row is broken.",
        fix="Lower `learning_rate`, set `max_grad_norm: 1.0`, or train in `precision: float32`.", facts={"step": step},
    )  # fmt: skip
