"""The training loop: batches, accumulation, clipping, schedule, metrics, validation, checkpoints."""

from __future__ import annotations

import math
import time

from tunesmith.contracts import Adapter, Cancelled, Mesh, Step, TrainerStrategy, Training
from tunesmith_models import compute_type
from tunesmith_torch.adapter.adapter_callback import AdapterCallback
from tunesmith_torch.api import Objective
from tunesmith_torch.data.truncation import TruncatedRows
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.batches import Batch, Batches
from tunesmith_torch.training.checkpoint.best import BestCheckpoint
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.checkpoint.schedule import CheckpointSchedule
from tunesmith_torch.training.early_stopping import EarlyStopping, early_stopping
from tunesmith_torch.training.failures.divergence import diverged, exploded
from tunesmith_torch.training.loss.batch_loss import BatchLoss
from tunesmith_torch.training.loss.gradient_accumulation import BatchResult, GradientAccumulation
from tunesmith_torch.training.loss.loss_scaler import LossScaler
from tunesmith_torch.training.lr_scheduler import RANGE_TEST, rate, set_rate
from tunesmith_torch.training.optimizer import in_use, put_in_use
from tunesmith_torch.training.report.completions import Completions
from tunesmith_torch.training.report.progress import Progress, ProgressReporter
from tunesmith_torch.training.report.sample_ledger import SampleLedger
from tunesmith_torch.training.report.warnings import MetricWarnings
from tunesmith_torch.training.validation import LOSS, Validation


class Loop:
    """Trains a model on batches. The result is a function of its arguments and the step's seed, however often it is interrupted."""

    def __init__(
        self, step: Step, settings: TrainSettings, training: Training, batches: Batches, batch_loss: BatchLoss, objective: Objective,
        adapter: Adapter, strategy: TrainerStrategy, mesh: Mesh, schedule: str, validation: TruncatedRows | None = None,
        completions: Completions | None = None,
    ) -> None:  # fmt: skip
        self.step, self.settings, self.training, self.batches, self.batch_loss = step, settings, training, batches, batch_loss
        self.schedule, self.total = schedule, batches.steps(settings.num_train_epochs, settings.max_steps)
        self.gradients = GradientAccumulation(step, settings, strategy, mesh, training, batch_loss)
        self.adapter_callback, self.ranks = AdapterCallback(adapter, training.model.model), Ranks(step.placement, strategy)
        self.ledger = SampleLedger(step.work, writes=self.ranks.first)
        ledgers = {"samples": self.ledger, **batches.ledgers}
        self.checkpoints = CheckpointSchedule(
            step, settings, training, self.adapter_callback, dict(batches.identity), self.ranks, ledgers
        )  # fmt: skip
        self._ledgers = ledgers.values()
        self.best = BestCheckpoint(step, training, self.adapter_callback, self.ranks)
        self.validation = Validation(step, settings, validation, self.batch_loss, strategy, mesh)
        self.early_stopping, self.completions = EarlyStopping(), completions
        self.reporter = ProgressReporter(step, self.total, settings.logging_steps)
        self.warnings = MetricWarnings(step, objective, self.total)
        self.may_explode = (
            bool(objective.asks.sampling) or schedule == RANGE_TEST
        )  # a loss of rewards has no scale; the test ends by itself
        scaler = LossScaler.of(compute_type(settings.dtype, "", step.placement, training=True)[0])
        self.progress = Progress(scaler=scaler, objective=dict(self.batch_loss.initial_state()))

    def run(self) -> Progress:
        """Train from the newest checkpoint to the end.

        Raises:
            TunesmithError: TS-TRAIN-001 when the loss or the gradients are no longer finite, or the loss has exploded; TS-TRAIN-013
                and -014 when memory is out.
            Cancelled: the step was asked to stop; what was done is in a checkpoint.
        """
        self._resume()
        try:
            if self.progress.steps:
                self._validate()
            self._answer()
            while self.progress.steps < self.total and not self._patience_is_over():
                self._step(self.progress.steps)
        except Cancelled:
            # Other ranks may be in another step by now, and a checkpoint needs them all.
            if self.ranks.count == 1 and self.progress.steps > self.checkpoints.saved_steps:
                self._save()
            raise
        put_in_use(self.training.optimizer)
        for ledger in self._ledgers:
            ledger.flush()
        self.reporter.ended(self.progress.steps, self.training.model)
        self._choose()
        return self.progress

    def _resume(self) -> None:
        found = self.checkpoints.resume()
        if found is not None:
            self.progress = found
            self.early_stopping = early_stopping(found.history, self.settings.early_stopping_threshold)
            self.reporter.resumed(found)
        self.reporter.bar(self.progress.steps)
        self.ranks.barrier()

    def _step(self, number: int) -> None:
        started = time.monotonic()
        batch = self.batches.batch(number, self.progress.objective)
        result, norm = self._gradients(number, batch)
        loss = result.loss
        apart = not self.may_explode and exploded(self.progress.history, loss)
        if apart or not (math.isfinite(loss) and math.isfinite(norm)):
            self.checkpoints.forget_bad(self.progress)
            raise diverged(number + 1, loss, norm, dict(zip(batch.rows, result.rows, strict=False)))
        learning_rate = self.settings.learning_rate * rate(self.schedule, number, self.total, self.settings.warmup_ratio)
        set_rate(self.training.optimizer, learning_rate)
        if batch.groups:
            self.training.step()
        self.ledger.note(number + 1, number // self.batches.per_epoch + 1, batch.rows, result.rows)
        self.progress.scaler.stepped()
        self.progress.objective = {**result.state, **batch.state}
        self.adapter_callback.stepped(number + 1, self.total)
        self.training.zero_grad()
        tokens = sum(batch.sizes)
        self._note({"loss": loss, "grad_norm": norm, "learning_rate": learning_rate, **batch.metrics, **result.metrics}, tokens)
        if self.reporter.stepped(self.progress, tokens, time.monotonic() - started):
            self.warnings.look(self.progress.history)
        self._validate()
        self._answer()
        if self.checkpoints.due(self.progress):
            self._save()

    def _gradients(self, number: int, batch: Batch) -> tuple[BatchResult, float]:
        """What a batch comes to, and the gradients' norm; where gradients overflow in float16, with ever smaller ones until they don't."""
        if not batch.groups:
            return BatchResult(0.0, {}, self.progress.objective), 0.0
        scaler = self.progress.scaler
        while True:
            scale = scaler.scale
            result = self.gradients(number, batch, self.progress.objective, scale)
            norm = self.training.clip(self.settings.max_grad_norm, scale)
            if math.isfinite(norm) or not math.isfinite(result.loss) or not scaler.overflowed():
                return result, norm
            self.step.log(
                f"gradients of step {number + 1} overflowed in float16 with losses multiplied by {scale:g}: again with half of it"
            )
            self.training.zero_grad()

    def _save(self) -> None:
        self.checkpoints.save(self.progress)
        self.best.only(self.early_stopping.step)

    def _validate(self) -> None:
        """If it is due after the newest step, and was not done before an interruption."""
        progress = self.progress
        if LOSS in progress.history[-1] or not self.validation.due(progress.steps, self.batches.per_epoch, self.total):
            return
        with in_use(self.training.optimizer):
            found = self.validation.measure(self.progress.objective)
        if not math.isfinite(found[LOSS]):
            raise diverged(progress.steps, found[LOSS], progress.history[-1]["grad_norm"])
        progress.history[-1] |= found
        self.reporter.point({"step": progress.steps} | found)
        self.early_stopping = early_stopping(progress.history, self.settings.early_stopping_threshold)
        if self.settings.load_best_model_at_end and self.early_stopping.step == progress.steps:
            with in_use(self.training.optimizer):
                self.best.keep(progress.steps)

    def _answer(self) -> None:
        """The user's prompts, if that is due after the newest step."""
        steps = self.progress.steps
        if self.completions and self.completions.due(steps, self.batches.per_epoch, self.total):
            with in_use(self.training.optimizer):
                self.completions.answer(steps)

    def _patience_is_over(self) -> bool:
        return bool(self.settings.early_stopping_patience) and self.early_stopping.waited >= self.settings.early_stopping_patience

    def _choose(self) -> None:
        """Of a run with validation: why it ended before its time, and which parameters are saved."""
        done, best = self.progress.steps, self.early_stopping
        if done < self.total:
            self.step.decide(
                f"stopped after step {done} of {self.total}",
                f"the validation loss did not fall in {best.waited} validations; it was least after step {best.step}: {best.loss:.4f}",
            )
            self.reporter.bar(done, of=done)
        if self.settings.load_best_model_at_end and best.step not in (0, done):
            self.best.load(best.step)
            last = next(point[LOSS] for point in reversed(self.progress.history) if LOSS in point)
            self.step.decide(
                f"the parameters after step {best.step} are saved",
                f"their validation loss is the least: {best.loss:.4f}; the last is {last:.4f} (setting `load_best_model_at_end`)",
            )

    def _note(self, point: dict[str, float], tokens: int) -> None:
        self.progress.steps += 1
        self.progress.tokens += tokens
        number = self.progress.steps
        self.progress.history.append({"step": number, "epoch": round(number / self.batches.per_epoch, 4)} | point)
