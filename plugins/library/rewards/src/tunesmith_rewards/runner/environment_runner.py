"""Plays episodes in an environment, beside the training: in processes of their own, with a time limit for each call.

An environment that raises, hangs, gives what is none or takes its process down has failed for the episode that it was asked about: that is
told and counted, and is no reward of 0. The other episodes of a process that is gone are played again from their answers in a new one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any

from tunesmith.errors import TunesmithError, UserError, shown
from tunesmith_rewards.api.score import Tally
from tunesmith_rewards.api.specification import RewardSpec
from tunesmith_rewards.runner.worker_process import WorkerDied, WorkerHangs, WorkerProcess

_CLOSE_TIMEOUT = 5.0  # seconds for all environments of a process to close
_ELSEWHERE = "it does not come to where it was when it is played again from its answers: it draws from something else than its seed"

Call = Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """What an environment says when an episode begins, after each answer, and when it is broken off.

    Args:
        messages: what the model reads next.
        tools: what it may call, at the beginning.
        reward: that was added; None: nothing was said.
        done: the episode is over.
        failure: why there is no reply; the episode is over then. Empty: there is one.
    """

    messages: Sequence[Mapping[str, Any]] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    reward: float | None = None
    done: bool = False
    failure: str = ""


@dataclass
class _Episode:
    """The row that it is of; what was asked in it, and answered."""

    row: Mapping[str, Any]
    calls: list[tuple[Call, Mapping[str, Any]]] = field(default_factory=list)
    reward: float | None = None


@dataclass
class _Seat:
    """A process, and which episodes it plays."""

    process: WorkerProcess | None = None
    playing: set[int] = field(default_factory=set)


class EnvironmentRunner:
    """A context manager: its processes end with it. The same tasks and answers give the same replies, however many processes there are.

    Args:
        spec: as `read_environment` gives it.
        timeout: seconds that a call may take.
        num_workers: processes; each asks its episodes one after the other.
        max_failed_share: of the latest 200 episodes (of 20 where there were fewer) that may fail; beyond it playing stops with
            TS-REWARD-011. 1: never.
        python: the interpreter of its processes, where the environment can't live with the packages of this one; it has the library that
            the environment runs on. Empty: this one.
        log: told of the first failures, a sentence at a time.

    Raises:
        UserError: TS-REWARD-012 for numbers out of range; TS-REWARD-014 where there is no such interpreter.
    """

    def __init__(
        self, spec: RewardSpec, *, timeout: float = 30.0, num_workers: int = 1, max_failed_share: float = 0.1, python: str = "",
        log: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        if not (timeout > 0 and num_workers > 0 and 0 <= max_failed_share <= 1):
            given = f"{timeout=}, {num_workers=}, {max_failed_share=}"
            fix = "Give numbers above 0, and a share from 0 to 1."
            raise UserError("TS-REWARD-012", f"the environment `{spec.name}` can't be run with {given}", fix=fix)
        self.spec, self.tally = spec, Tally()
        self._timeout, self._share, self._python, self._log = timeout, max_failed_share, interpreter(python), log
        self._seats = [_Seat() for _ in range(num_workers)]
        self._threads = ThreadPoolExecutor(num_workers, thread_name_prefix=f"environment-{spec.name}")
        self._episodes: dict[int, _Episode] = {}
        self._begun = 0

    def __enter__(self) -> EnvironmentRunner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Makes the environment in each process, so that one that can't be made is known before anything is sampled.

        Raises:
            TunesmithError: TS-REWARD-013, or what the environment itself says.
        """
        for _ in self._threads.map(self._process, self._seats):
            pass

    def reset(self, tasks: Sequence[tuple[Mapping[str, Any], int]]) -> dict[int, Reply]:
        """Begins an episode for each row and seed; see `Environment.reset`.

        Returns:
            the episode's number -> its opening, in the order of the tasks.

        Raises:
            TunesmithError: TS-REWARD-011 when too many episodes have failed; TS-REWARD-013 when the environment can't be made (again).
        """
        calls = []
        for row, seed in tasks:
            self._episodes[self._begun] = _Episode(row)
            calls.append({"call": "reset", "episode": self._begun, "row": row, "seed": seed})
            self._begun += 1
        return self._asked(calls)

    def step(self, answers: Mapping[int, str]) -> dict[int, Reply]:
        """What comes of the model's answers, by episode. Raises as `reset`."""
        return self._asked([{"call": "step", "episode": episode, "answer": answer} for episode, answer in answers.items()])

    def end(self, episodes: Iterable[int]) -> dict[int, Reply]:
        """What episodes are worth that are broken off. Raises as `reset`."""
        return self._asked([{"call": "end", "episode": episode} for episode in episodes])

    def fail(self, reasons: Mapping[int, str]) -> None:
        """Episodes that whoever plays can't go on with count as failed. Raises as `reset`."""
        self._asked([{"call": "end", "episode": episode} for episode in reasons], reasons)

    def close(self) -> None:
        """Ends all processes, whatever they are doing."""
        for seat in self._seats:
            if seat.process is not None:
                with contextlib.suppress(WorkerDied, WorkerHangs):
                    list(seat.process.ask({"calls": [{"call": "close"}]}, _CLOSE_TIMEOUT))
                seat.process.close()
                seat.process = None
        self._threads.shutdown(wait=True)

    def _asked(self, calls: Sequence[Call], failures: Mapping[int, str] = MappingProxyType({})) -> dict[int, Reply]:
        self._stop_if_beyond()
        started = time.monotonic()
        parts = [[call for call in calls if call["episode"] % len(self._seats) == at] for at in range(len(self._seats))]
        said = {episode: one for part in self._threads.map(self._played, self._seats, parts) for episode, one in part.items()}
        said |= {episode: {"failure": why} for episode, why in failures.items()}
        self.tally.seconds += time.monotonic() - started
        told = len(self.tally.examples)
        for call in calls:
            self._note(call, said[call["episode"]])
        for example in self.tally.examples[told:] if self._log else ():
            self._log(f"the environment `{self.spec.name}` has failed: {example}")  # type: ignore[misc]
        self._stop_if_beyond()
        return {call["episode"]: Reply(**said[call["episode"]]) for call in calls}

    def _note(self, call: Call, said: Mapping[str, Any]) -> None:
        episode = self._episodes[call["episode"]]
        episode.calls.append((call, said))
        if said.get("reward") is not None:
            episode.reward = (episode.reward or 0.0) + said["reward"]
        if said.get("done") or "failure" in said:
            del self._episodes[call["episode"]]
            self.tally.add(episode.reward, said.get("failure", ""), f"the episode of {shown(episode.row)}")

    def _stop_if_beyond(self) -> None:
        if self.tally.beyond(self._share):
            raise TunesmithError(
                "TS-REWARD-011", f"the environment `{self.spec.name}` has failed for {self.tally.failed} of {self.tally.asked} episodes",
                why="; ".join(self.tally.examples), fix="Fix the environment or the rows; what may fail is `max_failed_share`.",
                facts=self.tally.to_json(),
            )  # fmt: skip

    def _played(self, seat: _Seat, calls: Sequence[Call]) -> dict[int, Mapping[str, Any]]:
        """What one process says to each call, by episode."""
        said: dict[int, Mapping[str, Any]] = {}
        while waiting := [call for call in calls if call["episode"] not in said]:
            process = self._process(seat)
            asked = [item for call in waiting for item in (*self._before(seat, call), (call, None))]
            at = -1
            try:
                for at, answer in enumerate(process.ask({"calls": [call for call, _ in asked]}, self._timeout)):
                    call, expected = asked[at]
                    if call["episode"] in said:  # it has failed in what came before
                        continue
                    seat.playing.add(call["episode"])
                    if expected is None or "failure" in answer:
                        said[call["episode"]] = answer
                    elif answer != expected:
                        said[call["episode"]] = {"failure": _ELSEWHERE}
            except (WorkerDied, WorkerHangs) as error:
                process.kill()
                seat.process, seat.playing = None, set()
                blamed = asked[min(at + 1, len(asked) - 1)][0]["episode"]
                said.setdefault(blamed, {"failure": f"its process {error}" if isinstance(error, WorkerDied) else f"it {error}"})
        return said

    def _before(self, seat: _Seat, call: Call) -> list[tuple[Call, Mapping[str, Any]]]:
        """What has to be asked again before a call, since the process does not play its episode, and what was said to it."""
        return [] if call["episode"] in seat.playing else self._episodes[call["episode"]].calls

    def _process(self, seat: _Seat) -> WorkerProcess:
        if seat.process is None:
            seat.process = WorkerProcess(self.spec, "rl_environment", self._python)
        return seat.process


def interpreter(python: str) -> str:
    """Its path.

    Raises:
        UserError: TS-REWARD-014 where there is none.
    """
    if not python:
        return ""
    found = shutil.which(os.path.expanduser(python))
    if found is None:
        raise UserError(
            "TS-REWARD-014", f"{python} is no Python that the environment could run in", why="There is no such file that can be run.",
            fix="Give the path of an interpreter that has the library installed which the environment runs on.",
        )  # fmt: skip
    return os.path.abspath(found)
