"""The worker's side: the step that code sees, settings and providers built at first use, errors that say what to do."""

from __future__ import annotations

import errno
import importlib
import threading
from pathlib import Path
from typing import Any

import pytest
import tiny_verbs

from tunesmith.contracts import Artifact, Cancelled, Placement, Result, TunesmithError, UserError
from tunesmith.isolation import worker_step as step_module
from tunesmith.isolation.cancellation import Cancel
from tunesmith.isolation.error_conversion import coded
from tunesmith.isolation.worker_step import Chosen, WorkerStep, run_entry


def make(tmp_path: Path, **more: Any) -> tuple[WorkerStep, list[tuple[str, Any]]]:
    told: list[tuple[str, Any]] = []
    return WorkerStep(name="it", output=tmp_path, work=tmp_path, notify=lambda *what: told.append(what), **more), told


def test_a_step_is_usable_without_a_socket(tmp_path: Path) -> None:
    step, told = make(tmp_path)
    step.log("hello", "warning")
    step.metric("loss", 2, 7)
    step.decide("this", "because")
    step.ready(url="u", model="m")
    assert told == [
        ("$/log", {"message": "hello", "level": "warning"}),
        ("$/metric", {"name": "loss", "value": 2.0, "at": 7}),
        ("$/decision", {"what": "this", "reason": "because"}),
        ("$/ready", {"url": "u", "model": "m"}),
    ]
    assert (step.placement, step.seed, step.inputs) == (Placement(), 0, {})


def test_progress_is_told_at_most_ten_times_a_second_and_task_but_never_without_its_end(tmp_path: Path, monkeypatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(step_module.time, "monotonic", lambda: clock[0])
    step, told = make(tmp_path)
    for done in range(1001):
        clock[0] += 0.001
        step.progress(done, 1000, what="a")
        step.progress(done, 1000, what="b")
    a = [params["done"] for _, params in told if params["what"] == "a"]
    assert 10 <= len(a) <= 12
    assert a[-1] == 1000
    assert len(told) == 2 * len(a)


def test_cancelling_is_seen_by_all_ways_of_asking(tmp_path: Path) -> None:
    step, _ = make(tmp_path)
    step.check_cancelled()
    assert not step.wait_cancelled(0.001)
    threading.Timer(0.01, step.cancelled.set).start()
    assert step.wait_cancelled(10)
    with pytest.raises(Cancelled):
        step.check_cancelled()


def test_a_wish_to_stop_ends_imports_until_the_step_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "at_the_end.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    cancelled = Cancel()
    cancelled.set()
    with pytest.raises(Cancelled):
        importlib.import_module("at_the_end")
    cancelled.end()
    assert importlib.import_module("at_the_end")


def test_a_provider_is_built_once_with_its_settings_by_slot_or_kind(tmp_path: Path) -> None:
    chosen = Chosen("quantizer", "tiny_verbs:CountSettings")
    step, _ = make(tmp_path, providers={"small": chosen, "adapter": Chosen("adapter", "builtins:list"), "ready": "made already"})
    assert step.provider("small") == tiny_verbs.CountSettings()
    assert step.provider("quantizer") is step.provider("small")
    assert step.provider("ready") == "made already"
    with pytest.raises(TunesmithError, match="TS-RUN-018") as caught:
        step.provider("adaptor")
    assert caught.value.fix == "Did you mean `adapter`?"


class Loud:
    def __init__(self, settings: tiny_verbs.CountSettings) -> None:
        self.settings = settings


def test_a_step_comes_from_what_the_host_sends(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tiny_verbs, "Loud", Loud, raising=False)
    settings = "tiny_verbs:CountSettings"
    chosen = {"kind": "adapter", "target": "tiny_verbs:Loud", "settings_class": settings, "settings": {"to": 4}, "distribution": "tiny"}
    base = Artifact("model/hf", tmp_path, "sha256:1")
    data = {
        "name": "tune", "output": str(tmp_path), "work": str(tmp_path), "seed": 3, "distribution": "tiny",
        "settings_class": settings, "settings": {"pause": 1}, "placement": {"device": "abacus", "rank": 1, "processes": 2},
        "inputs": {"from": Artifact("adapter/tilt", tmp_path, "sha256:2", {"base": base}).to_json()}, "choices": {"adapter": chosen},
    }  # fmt: skip
    step = WorkerStep.from_json(data, lambda *_: None, threading.Event())
    assert step.settings == tiny_verbs.CountSettings(pause=1.0)
    assert step.inputs["from"].refs["base"] == base
    assert (step.placement.device, step.placement.rank, step.seed) == ("abacus", 1, 3)
    assert step.provider("adapter").settings.to == 4


def test_settings_that_do_not_fit_are_the_users_mistake(tmp_path: Path) -> None:
    step, _ = make(tmp_path, providers={"a": Chosen("adapter", "tiny_verbs:count", "tiny_verbs:CountSettings", {"to": "many"})})
    with pytest.raises(UserError, match="TS-SPEC-020"):
        step.provider("a")


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("tiny_nowhere.deep:Thing", "TS-RUN-011", "`tiny_nowhere`"),
        ("tiny_verbs:Nothing", "TS-RUN-017", "`Nothing`"),
    ],
)
def test_a_target_that_is_not_there_is_told(tmp_path: Path, target: str, code: str, words: str) -> None:
    step, _ = make(tmp_path, providers={"a": Chosen("adapter", target, distribution="tunesmith-tiny")})
    with pytest.raises(TunesmithError, match=code) as caught:
        step.provider("a")
    assert words in caught.value.what
    if code == "TS-RUN-011":
        assert 'pip install "tunesmith-tiny[runtime]"' in caught.value.fix


def test_an_entry_may_return_nothing_or_a_result(tmp_path: Path, monkeypatch) -> None:
    step, _ = make(tmp_path)
    monkeypatch.setattr(tiny_verbs, "nothing", lambda step: None, raising=False)
    result = Result("a/b", {"base": "sha256:1"}, {"x": 1}, {"rows": 2})
    monkeypatch.setattr(tiny_verbs, "something", lambda step: result, raising=False)
    assert run_entry("tiny_verbs:nothing", step) == {"format": "", "refs": {}, "metrics": {}, "meta": {}}
    told = run_entry("tiny_verbs:something", step)
    assert told == {"format": "a/b", "refs": {"base": "sha256:1"}, "metrics": {"x": 1.0}, "meta": {"rows": 2}}


class OutOfMemoryError(RuntimeError):
    """As a library calls its own."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("ACME-1", "x"), "ACME-1"),
        (MemoryError(), "TS-RUN-012"),
        (OutOfMemoryError("device"), "TS-RUN-012"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "TS-RUN-012"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "TS-RUN-012"),
        (OSError(errno.ENOSPC, "full"), "TS-STORE-001"),
        (OSError(errno.EDQUOT, "quota"), "TS-STORE-001"),
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), "TS-STORE-001"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "TS-RUN-011"),
        (ValueError("out of memory is not meant here"), "TS-RUN-010"),
        (KeyError("weight"), "TS-RUN-010"),
        (SystemExit(1), "TS-RUN-010"),
    ],
)
def test_every_exception_becomes_a_coded_error_with_advice(error: BaseException, code: str) -> None:
    found = coded(error)
    assert found.code == code
    assert found.fix or code == "ACME-1"
    assert "\n" not in found.what
