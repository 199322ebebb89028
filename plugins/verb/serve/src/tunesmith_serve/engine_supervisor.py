"""An engine that is a program of its own, kept up: started, waited for, watched, started again when it dies, ended."""

from __future__ import annotations

import errno
import os
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from tunesmith.contracts import Address, Cancelled, Engine, Step, TunesmithError
from tunesmith.contracts.kinds.inference_backend import KILL_AFTER
from tunesmith.contracts.port_in_use import free_port, not_free
from tunesmith_serve.engine_process import EngineProcess, is_there
from tunesmith_serve.health_check import Health

POLL = 0.1  # seconds between looks at the process
SOON = 1.0  # seconds in which an engine ends that nobody asks anything, so that nothing need be said
SILENT = 6  # questions in a row that an engine which was up has not answered: it hangs
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before it is started again; doubled from death to death
WINDOW = 600.0  # seconds in which deaths are counted
OTHER_PORTS = 3  # tries where any port will do: somebody may take it between our look and the engine's
QUOTED = 8  # last lines in an error
_PORT_TAKEN = re.compile(r"address (is )?already in use|EADDRINUSE|(couldn't|could not|failed to) bind", re.IGNORECASE)


class Died(Exception):
    """An engine that was up is not any more; the message says how that showed."""


class PortTaken(Exception):
    """The engine found its port in use."""


def supervise(make: Callable[[Address], Engine], name: str, address: Address, step: Step) -> None:
    """Keep an engine up until the step is cancelled.

    Args:
        make: the engine for an address, whose port is a free one.
        name: the model's, in requests.

    Raises:
        UserError: TS-SERVE-001 when the port is in use.
        TunesmithError: TS-SERVE-006 when the engine ends before it is up, TS-SERVE-007 when it takes too long, TS-SERVE-008 when it dies
            too often.
        Cancelled: when it was cancelled before it was up.
    """
    for left in reversed(range(1 if address.port else OTHER_PORTS)):
        place = replace(address, port=free_port(address.host, address.port))
        try:
            return Supervisor(make(place), place, step).serve(name)
        except PortTaken:
            if not left:
                raise not_free(place.host, place.port, OSError(errno.EADDRINUSE, "")) from None


class Supervisor:
    """One engine at one address."""

    def __init__(self, engine: Engine, address: Address, step: Step) -> None:
        self.engine, self.address, self.step = engine, address, step
        self.name = engine.name or os.path.basename(engine.command[0])
        self.host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
        self.timeout = step.settings.start_timeout or engine.start_timeout
        self.restarts = engine.restarts if step.settings.restarts < 0 else step.settings.restarts
        self.deaths: deque[float] = deque()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.address.port}/v1"

    def serve(self, name: str) -> None:
        if not is_there(self.engine.command, self.engine.environment):
            raise self._error("TS-SERVE-006", "can't be started", f"There is no program `{self.engine.command[0]}`.")
        self._start()
        try:
            self._wait()
            self.step.log(f"{self.name} serves {name} at {self.url}")
            self.step.ready(**{"url": self.url, "model": name, **self.engine.facts})
            while True:
                try:
                    self._watch()
                    return self._let_end()
                except Died as death:
                    self._start_again(str(death))
        finally:
            self._stop()

    def _start(self) -> None:
        term_timeout = self.step.settings.shutdown_grace + KILL_AFTER
        self.process = EngineProcess(self.engine.command, self.engine.environment, term_timeout, self.engine.ready_line)
        self.health = Health(self.host, self.address.port, self.engine.ready)

    def _stop(self) -> None:
        self.health.close()
        self.process.stop()

    def _wait(self) -> None:
        """Until it is up."""
        what, process = f"starting {self.name}", self.process
        while True:
            elapsed = time.monotonic() - process.started
            ended = process.ended()
            if ended and any(_PORT_TAKEN.search(line) for line in process.last_lines):
                raise PortTaken
            if ended:
                raise self._error("TS-SERVE-006", f"{ended} before it was ready")
            if process.sign_seen.is_set() and self.health.answered.is_set():
                self.step.progress(elapsed, elapsed, what=what, unit="s")
                return
            self.step.progress(elapsed, None, what=what, unit="s")
            if elapsed > self.timeout:
                raise self._error("TS-SERVE-007", f"was not ready within {self.timeout:g} seconds")
            if self.step.wait_cancelled(POLL):
                raise Cancelled(self.step.name)

    def _watch(self) -> None:
        """Until the step is cancelled; raises `Died` when the engine is no longer what it was."""
        while not self.step.wait_cancelled(POLL):
            if ended := self.process.ended():
                raise Died(ended)
            if self.health.misses >= SILENT:
                raise Died(f"has not answered {SILENT} questions in a row")

    def _let_end(self) -> None:
        """Ask it to end; where that takes a while, say why."""
        if not self.process.asked_to_end(SOON):
            seconds = f"{self.step.settings.shutdown_grace:g} s (setting `shutdown_grace`)"
            self.step.log(f"{self.name} lets answers under way end, which may take {seconds}", "notice")

    def _start_again(self, how: str) -> None:
        """Have it up once more, after a pause that grows from death to death."""
        while True:
            self._stop()
            pause = self._pause(how)
            count = f"{len(self.deaths)} of {self.restarts}"
            said = " | ".join(self.process.last_lines[-3:])
            self.step.log(f"{self.name} {how}; it is started again in {pause:g} s ({count})", "warning")
            self.step.decide(
                f"start {self.name} again in {pause:g} s ({count})", f"it {how}" + (f"; its last lines: {said}" if said else "")
            )
            if self.step.wait_cancelled(pause):
                raise Cancelled(self.step.name)
            self._start()
            try:
                self._wait()
            except PortTaken:
                how = f"found port {self.address.port} in use"
            except TunesmithError as error:
                how = error.what[len(self.name) + 1 :]
            else:
                return self.step.log(f"{self.name} is up again")

    def _pause(self, how: str) -> float:
        """Seconds to wait before the next start, after another death.

        Raises:
            TunesmithError: TS-SERVE-008 when there were too many.
        """
        now = time.monotonic()
        self.deaths.append(now)
        while now - self.deaths[0] > WINDOW:
            self.deaths.popleft()
        if len(self.deaths) > self.restarts:
            times = f", {len(self.deaths)} deaths within {WINDOW / 60:g} minutes" if self.restarts else ""
            raise self._error("TS-SERVE-008", how + times)
        return min(FIRST_PAUSE * 2 ** (len(self.deaths) - 1), LONGEST_PAUSE)

    def _error(self, code: str, how: str, why: str = "") -> TunesmithError:
        said = "\n".join(self.process.last_lines[-QUOTED:]) if not why else ""
        fix = {
            "TS-SERVE-006": "Fix what it complains of; `tunesmith runs logs` shows all that it said.",
            "TS-SERVE-007": "Give it longer with the step's setting `start_timeout`, or see what it waits for: `tunesmith runs logs`.",
            "TS-SERVE-008": "Where memory is short, give it less to hold; `tunesmith runs logs` shows all that it said.",
        }[code]
        return TunesmithError(code, f"{self.name} {how}", why=why or said or "It said nothing.", fix=fix)
