"""When a checkpoint is made, what goes into it, and where a run goes on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Step, Training
from tunesmith_torch.adapter.adapter_callback import AdapterCallback
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.checkpoint.ranks import Ranks
from tunesmith_torch.training.checkpoint.storage import ADAPTER, OBJECTIVE, Checkpoint, Checkpoints
from tunesmith_torch.training.loss.loss_scaler import LossScaler
from tunesmith_torch.training.report.progress import Progress
from tunesmith_torch.training.report.sample_ledger import Ledger


class CheckpointSchedule:
    """The checkpoints of a run.

    Args:
        adapter_callback: what of the adapter goes on beside its parameters.
        identity: what the order of the data depends on: with another one the position in it would mean other rows.
        ledgers: by what the checkpoint calls them.
    """

    def __init__(
        self, step: Step, settings: TrainSettings, training: Training, adapter_callback: AdapterCallback, identity: dict[str, Any],
        ranks: Ranks, ledgers: Mapping[str, Ledger],
    ) -> None:  # fmt: skip
        self.step, self.settings, self.training, self.ranks = step, settings, training, ranks
        self.adapter_callback, self.identity, self.ledgers = adapter_callback, identity, ledgers
        self.checkpoints = Checkpoints(step.work / "checkpoints", keep=settings.save_total_limit, log=step.log, ranks=ranks)
        self._saved_at, self.saved_steps = time.monotonic(), 0
        self._started, self._spent, self._last = self._saved_at, 0.0, 0.0
        self._told = False

    def due(self, progress: Progress) -> bool:
        """Whether it is time, the same on every rank."""
        every, seconds = self.settings.save_steps, self.settings.save_seconds
        wanted = bool(every) and progress.steps - self.saved_steps >= every
        wanted = wanted or (bool(seconds) and time.monotonic() - self._saved_at >= seconds)
        due = wanted and self._affordable()
        return self.ranks.any(due and self.ranks.first)  # the first rank's clock counts

    def _affordable(self) -> bool:
        """Whether another one leaves the share of time that checkpoints may take, going by what the last one took."""
        share, last = self.settings.save_time_share, self._last
        if self._spent + last <= share * (time.monotonic() - self._started + last):
            return True
        if not self._told:
            self._told = True
            self.step.decide(
                f"a checkpoint every {last / share:.0f} s at most",
                f"one takes {last:.1f} s, and they may take {share:.0%} of the time (setting `save_time_share`)",
            )
        return False

    def save(self, progress: Progress) -> None:
        started = time.monotonic()
        scaler = [progress.scaler.scale, progress.scaler.steps]
        state = {
            "identity": self.identity, "tokens": progress.tokens, "history": progress.history, "scaler": scaler,
            **{name: ledger.flush() for name, ledger in self.ledgers.items()},
        }  # fmt: skip
        beside = {ADAPTER: self.adapter_callback.state(), OBJECTIVE: progress.objective}
        self.checkpoints.save(progress.steps, self.training.save_state, beside, state)
        self._saved_at, self.saved_steps = time.monotonic(), progress.steps
        self._last = self._saved_at - started
        self._spent += self._last

    def resume(self) -> Progress | None:
        """Put the newest checkpoint's parameters in place, and the ledger where it was then; None where there is none of this run."""
        found = self.checkpoints.newest()
        if found is None or found.state["identity"] != self.identity or not self._has_ledger(found):
            self.ranks.barrier()
            self._cut({})
            return None
        self.ranks.barrier()
        self._cut(found.state)
        self.adapter_callback.load_state(found.tensors(ADAPTER))
        self.training.load_state(found.parameters)
        self.saved_steps = found.step
        scaler, objective = LossScaler(*found.state["scaler"]), found.tensors(OBJECTIVE)
        return Progress(found.step, found.state["tokens"], list(found.state["history"]), scaler, objective)

    def _cut(self, sizes: Mapping[str, Any]) -> None:
        for name, ledger in self.ledgers.items():
            ledger.cut(sizes.get(name, 0))

    def _has_ledger(self, found: Checkpoint) -> bool:
        """Whether all ledgers are as long as they were when the checkpoint was made, the same on every rank."""
        damaged = [name for name, ledger in self.ledgers.items() if not ledger.reaches(found.state.get(name, 0))]
        there = self.ranks.all(not damaged)
        if not there:
            self.step.log(
                f"the ledger of {' and '.join(damaged) or 'samples'} is damaged: it begins anew, and so does training (checkpoint at step "
                f"{found.step})", "warning",
            )  # fmt: skip
        return there

    def forget_bad(self, progress: Progress) -> None:
        """After a divergence: remove checkpoints unless the step after them, the first that shows their parameters, had a loss no higher
        than the first of all.
        """
        first = progress.history[0]["loss"] if progress.history else 0.0
        good = [at for at, point in enumerate(progress.history) if point["loss"] <= first]
        self.checkpoints.forget(max(good, default=0))
        self.ranks.barrier()
