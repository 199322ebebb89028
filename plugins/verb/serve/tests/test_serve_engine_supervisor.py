"""Engines that are programs of their own, kept up by the verb `serve`; the engine is a fake, its processes and its HTTP are real."""

from __future__ import annotations

import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_engine
import pytest

from tunesmith.contracts import Address, Artifact, Cancelled, Engine, TunesmithError, UserError, port_in_use
from tunesmith_sdk.local_step import LocalStep
from tunesmith_serve import engine_supervisor, health_check
from tunesmith_serve import verb as serve
from tunesmith_serve.settings import ServeSettings


class Fake:
    """An inference backend whose engine is the fake; `arguments` are its, `more` is the record's."""

    def __init__(self, *arguments: str, **more: Any) -> None:
        self.arguments, self.more, self.asked = arguments, more, []

    def engine(self, model: Artifact, name: str, address: Address, step: Any) -> Engine:
        self.asked.append(address)
        command = (sys.executable, "-S", fake_engine.__file__, str(address.port), *self.arguments)
        return replace(Engine(command, name="Fake", facts={"deaf": False}), **self.more)


class Served:
    """The verb at work in a thread."""

    def __init__(self, step: LocalStep) -> None:
        self.step, self.failure = step, None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            serve.run(self.step)
        except (TunesmithError, Cancelled) as error:
            self.failure = error

    @property
    def root(self) -> str:
        return self.step.reports.facts["url"].removesuffix("/v1")

    def get(self, path: str) -> int:
        with urllib.request.urlopen(self.root + path, timeout=10) as reply:
            return reply.status

    def decisions(self) -> list[str]:
        return [f"{what} because {reason}" for what, reason in self.step.reports.decisions]

    def join(self) -> Any:
        self.thread.join(60)
        assert not self.thread.is_alive()
        return self.failure


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in [
        (engine_supervisor, "POLL", 0.02), (engine_supervisor, "KILL_AFTER", 0.3),
        (engine_supervisor, "FIRST_PAUSE", 0.05), (engine_supervisor, "SILENT", 2),
        (health_check, "ASK_STARTING", 0.05), (health_check, "ASK_UP", 0.05), (health_check, "PATIENCE", 0.2),
    ]:  # fmt: skip
        monkeypatch.setattr(module, name, value)


def step_of(tmp_path: Path, backend: Fake, **settings: Any) -> LocalStep:
    model = Artifact("model/text", tmp_path)
    return LocalStep.make(
        tmp_path,
        name="api",
        inputs={"model": model},
        settings=ServeSettings(**{"shutdown_grace": 0.0, **settings}),
        providers={"inference_backend": backend},
    )


@contextmanager
def serving(tmp_path: Path, backend: Fake, **settings: Any) -> Iterator[Served]:
    served = Served(step_of(tmp_path, backend, **settings))
    try:
        until(lambda: served.step.reports.ready.is_set() or not served.thread.is_alive())
        assert served.failure is None, served.failure
        yield served
    finally:
        served.step.cancelled.set()
        served.join()


def until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def failing(tmp_path: Path, backend: Fake, **settings: Any) -> TunesmithError:
    with pytest.raises(TunesmithError) as caught:
        serve.run(step_of(tmp_path, backend, **settings))
    assert caught.value.fix
    return caught.value


def gone(pid: int) -> bool:
    """Whether there is no such process, not even a zombie."""
    return not Path(f"/proc/{pid}").exists()


def test_it_is_ready_when_it_answers_at_a_port_that_was_free(tmp_path: Path, capfd: Any) -> None:
    backend = Fake("--say", "loading weights")
    with serving(tmp_path, backend) as served:
        assert served.get("/health") == 200
        assert served.step.reports.facts == {"url": f"http://127.0.0.1:{backend.asked[0].port}/v1", "model": "api", "deaf": False}
        told = served.step.reports.progress
        assert {(each["what"], each["unit"]) for each in told} == {("starting Fake", "s")}
        assert told[-1]["done"] == told[-1]["total"]
    assert served.failure is None
    assert "loading weights" in capfd.readouterr().err  # the worker's stderr is the step's log


def test_it_is_ready_when_it_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, Fake("--silent", "--say", "\x1b[32mnow fired\x1b[0m up", ready="", ready_line=r"fired up$")) as served:
        assert served.step.reports.facts["model"] == "api"
    assert served.failure is None


def test_both_signs_are_waited_for(tmp_path: Path) -> None:
    error = failing(tmp_path, Fake("--say", "something else", ready_line="fired up"), start_timeout=1.0)
    assert error.code == "TS-SERVE-007"


def test_a_port_in_use_is_told_with_who_has_it_before_the_engine_is_started(tmp_path: Path) -> None:
    first, second = Fake(), Fake()
    with serving(tmp_path, first):
        port = first.asked[0].port
        error = failing(tmp_path, second, port=port)
    assert isinstance(error, UserError)
    assert (error.code, second.asked) == ("TS-SERVE-001", [])
    assert str(port) in error.what
    assert sys.platform != "linux" or "fake_engine.py" in error.why


def test_a_host_that_is_not_this_machines_is_told(tmp_path: Path) -> None:
    assert failing(tmp_path, Fake(), host="192.0.2.1", port=8000).code == "TS-SERVE-001"


def test_a_port_that_the_engine_finds_in_use_is_told(tmp_path: Path) -> None:
    port = port_in_use.free_port("127.0.0.1", 0)
    error = failing(tmp_path, Fake("--fail", "--say", "[Errno 98] Address already in use"), port=port)
    assert (error.code, error.user) == ("TS-SERVE-001", True)


def test_where_any_port_will_do_another_one_is_tried(tmp_path: Path) -> None:
    backend = Fake("--fail", "--say", "couldn't bind HTTP server socket")
    assert failing(tmp_path, backend).code == "TS-SERVE-001"
    assert len({address.port for address in backend.asked}) > 1


def test_a_death_at_the_start_quotes_the_last_lines_and_is_not_tried_again(tmp_path: Path) -> None:
    backend = Fake("--fail", "--say", "first\nRuntimeError: no such quantization")
    error = failing(tmp_path, backend)
    assert (error.code, len(backend.asked)) == ("TS-SERVE-006", 1)
    assert "Fake ended with status 1 before it was ready" in error.what
    assert error.why == "first\nRuntimeError: no such quantization"


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    error = failing(tmp_path, Fake(command=("no-such-engine",)))
    assert error.code == "TS-SERVE-006"
    assert "no-such-engine" in error.why


def test_a_start_that_takes_too_long_quotes_the_last_lines_and_ends_the_engine(tmp_path: Path) -> None:
    error = failing(tmp_path, Fake("--silent", "--deaf", "--child", str(tmp_path / "pids"), "--say", "compiling"), start_timeout=1.5)
    assert error.code == "TS-SERVE-007"
    assert "within 1.5 seconds" in error.what
    assert "compiling" in error.why
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_an_engine_that_dies_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    with serving(tmp_path, Fake()) as served:
        for deaths in (1, 2):
            with suppress(OSError):
                served.get("/exit")
            until(lambda deaths=deaths: [m for _, m in served.step.reports.logs].count("Fake is up again") == deaths)
            assert served.get("/health") == 200
        first, second = served.decisions()
    assert "again in 0.05 s (1 of 3)" in first
    assert "ended with status 3" in first
    assert "the last words" in first
    assert "again in 0.1 s (2 of 3)" in second


def test_an_engine_that_hangs_is_dead(tmp_path: Path) -> None:
    with serving(tmp_path, Fake("--deaf")) as served:
        served.get("/hang")
        until(lambda: ("info", "Fake is up again") in served.step.reports.logs)
        assert served.get("/health") == 200
    assert "has not answered 2 questions" in served.decisions()[0]


def test_an_engine_that_dies_too_often_fails_the_step(tmp_path: Path) -> None:
    served = Served(step_of(tmp_path, Fake("--once", str(tmp_path / "lived"), "--say", "still broken"), restarts=2))
    until(served.step.reports.ready.is_set)
    with suppress(OSError):
        served.get("/exit")
    error = served.join()
    assert error.code == "TS-SERVE-008"
    assert "3 deaths within 10 minutes" in error.what
    assert "still broken" in error.why
    assert len(served.decisions()) == 2


def test_deaths_of_long_ago_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_supervisor, "WINDOW", 0.0)
    with serving(tmp_path, Fake(restarts=1)) as served:
        for deaths in (1, 2, 3):
            with suppress(OSError):
                served.get("/exit")
            until(lambda deaths=deaths: [m for _, m in served.step.reports.logs].count("Fake is up again") == deaths)
    assert served.failure is None


def test_no_restarts_where_none_are_wanted(tmp_path: Path) -> None:
    served = Served(step_of(tmp_path, Fake(), restarts=0))
    until(served.step.reports.ready.is_set)
    with suppress(OSError):
        served.get("/exit")
    assert served.join().code == "TS-SERVE-008"
    assert served.decisions() == []


@pytest.mark.skipif(sys.platform != "linux", reason="a process outside the group can be found only on Linux")
def test_cancelling_ends_a_deaf_engine_and_its_deaf_child_in_another_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_supervisor, "SOON", 0.05)
    with serving(tmp_path, Fake("--deaf", "--child", str(tmp_path / "pids"))) as served:
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert not any(map(gone, pids))
    assert all(map(gone, pids))
    assert any(level == "notice" and "answers under way" in message for level, message in served.step.reports.logs)


@pytest.mark.skipif(sys.platform != "linux", reason="a process outside the group can be found only on Linux")
def test_a_dead_engines_children_are_gone_before_the_next_one_starts(tmp_path: Path) -> None:
    with serving(tmp_path, Fake("--child", str(tmp_path / "pids"))) as served:
        before = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        with suppress(OSError):
            served.get("/exit")
        until(lambda: ("info", "Fake is up again") in served.step.reports.logs)
        assert all(map(gone, before))


def test_cancelling_while_it_starts_does_not_wait_for_it(tmp_path: Path) -> None:
    served = Served(step_of(tmp_path, Fake("--silent", "--child", str(tmp_path / "pids"))))
    until((tmp_path / "pids").exists)
    served.step.cancelled.set()
    assert isinstance(served.join(), Cancelled)


def test_an_engine_that_heeds_gets_to_end_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, Fake(), shutdown_grace=600.0) as served:  # this test would wait for it if it were waited for
        pass
    assert not any(level == "notice" for level, _ in served.step.reports.logs), "there was nothing to wait for"


class Kettle:
    """A backend that serves in the worker itself."""

    def serve(self, model: Artifact, name: str, address: Address, step: Any) -> None:
        step.ready(url=f"http://{address.host}:{address.port}/v1", model=name)
        step.wait_cancelled()


def test_a_backend_that_serves_by_itself_is_told_its_place_and_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    with serving(tmp_path, Kettle(), port=8123) as served:
        assert served.step.reports.facts == {"url": "http://127.0.0.1:8123/v1", "model": served.step.pipeline}
