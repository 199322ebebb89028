"""The processes of one reward, and what becomes of a batch there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tunesmith.errors import TunesmithError, shown
from tunesmith_rewards.api.score import Tally
from tunesmith_rewards.api.specification import RewardSpec
from tunesmith_rewards.runner.worker_process import WorkerDied, WorkerHangs, WorkerProcess

Asked = tuple[int, str, str, Mapping[str, Any]]  # a row's place, its prompt, completion and row
Answers = list[tuple[float | None, str]]


class RewardWorkers:
    """Args as those of `RewardRunner`, for one reward."""

    def __init__(self, spec: RewardSpec, timeout: float, count: int, max_failed_share: float, log: Callable[[str], None] | None) -> None:
        self.spec, self.tally = spec, Tally()
        self._timeout, self._share, self._log = timeout, max_failed_share, log
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=f"reward-{spec.name}")
        self._idle: list[WorkerProcess] = []
        self._all: set[WorkerProcess] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> Future[None]:
        return self._threads.submit(lambda: self._give_back(self._take()))

    def submit(self, asked: Sequence[Asked], said: Answers, first: int, counted: bool) -> Future[None]:
        """Has a batch scored: the answers are written to `said`, from place `first` on."""
        if self._closed:
            raise TunesmithError("TS-REWARD-006", "the rewards have ended, and are asked again", fix="Ask before `close`.")
        return self._threads.submit(self._batch, asked, said, first, counted)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            workers = list(self._all)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.close()
        self._threads.shutdown(wait=True)

    def _batch(self, asked: Sequence[Asked], said: Answers, first: int, counted: bool) -> None:
        with self._lock:
            self._stop_if_beyond()
        began = time.monotonic()
        answers = self._scored(asked)
        said[first : first + len(asked)] = answers
        if not counted:
            return
        with self._lock:
            self.tally.seconds += time.monotonic() - began
            told = len(self.tally.examples)
            for (_, prompt, completion, _), (value, failure) in zip(asked, answers, strict=True):
                self.tally.add(value, failure, f"the answer {shown(completion)} to {shown(prompt)}")
            for example in self.tally.examples[told:] if self._log else ():
                self._log(f"the reward `{self.spec.name}` has failed: {example}")  # type: ignore[misc]
            self._stop_if_beyond()

    def _stop_if_beyond(self) -> None:
        if self.tally.beyond(self._share):
            raise TunesmithError(
                "TS-REWARD-001", f"the reward `{self.spec.name}` has failed for {self.tally.failed} of {self.tally.asked} completions",
                why="; ".join(self.tally.examples), fix="Try it with `tunesmith rewards score`; what may fail is `max_failed_share`.",
                facts=self.tally.to_json(),
            )  # fmt: skip

    def _scored(self, asked: Sequence[Asked]) -> Answers:
        worker = self._take()
        if worker.batches and len(asked) > 1:
            whole = self._at_once(worker, asked)
            if whole is not None:
                return whole
            worker = self._take()
        answers: Answers = []
        died = False  # at the next completion, once
        while len(answers) < len(asked):
            try:
                for answer in worker.ask(_message(asked[len(answers) :], singly=True), self._timeout):
                    answers.append((answer.get("value"), answer.get("failure", "")))
                    died = False
            except (WorkerDied, WorkerHangs) as error:
                self._lose(worker)
                worker = self._take()
                if died or isinstance(error, WorkerHangs):
                    answers.append((None, f"its process {error}" if died else f"it {error}"))
                died = isinstance(error, WorkerDied) and not died
        self._give_back(worker)
        return answers

    def _at_once(self, worker: WorkerProcess, asked: Sequence[Asked]) -> Answers | None:
        """None: the batch has failed as a whole."""
        try:
            answers = list(worker.ask(_message(asked), self._timeout))
        except (WorkerDied, WorkerHangs):
            self._lose(worker)
            return None
        self._give_back(worker)
        if any("broken" in answer for answer in answers):
            return None
        return [(answer.get("value"), answer.get("failure", "")) for answer in answers]

    def _take(self) -> WorkerProcess:
        with self._lock:
            self._open()
            if self._idle:
                return self._idle.pop()
        worker = WorkerProcess(self.spec)
        with self._lock:
            self._all.add(worker)
            closed = self._closed
        if closed:
            self._lose(worker)
            self._open()
        return worker

    def _open(self) -> None:
        if self._closed:
            raise TunesmithError("TS-REWARD-006", "the rewards were ended while they were asked")

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._idle.append(worker)

    def _lose(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.kill()


def _message(asked: Sequence[Asked], *, singly: bool = False) -> dict[str, Any]:
    """
    Args:
        singly: whether completions are scored one after the other, though the reward takes several at once.
    """
    _, prompts, completions, rows = zip(*asked, strict=True)
    return {"prompts": prompts, "completions": completions, "rows": rows, "singly": singly}
