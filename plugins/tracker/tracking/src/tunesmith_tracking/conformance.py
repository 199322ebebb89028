"""Checks of trackers: that they hear a run out, keep what they are told, and leave the process that they are in as it was."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tunesmith.contracts import Artifact, MetricPoint, RunFacts, StepFacts, TunesmithError
from tunesmith_sdk.conformance import CheckFailed, NotRun, Subject, action, check, observer
from tunesmith_tracking.completions import FILE
from tunesmith_tracking.contract import HearsArtifacts

SERIES, SETTING = "distance_to_the_sea", "height_of_the_hill"  # names that stand in no library
ANSWER = "downhill, then along the river"
TEXTS = (".json", ".jsonl", ".txt", ".csv", ".md")
#: nothing is sent from an examination, whoever is logged in where
CLOSED = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9") | {
    "no_proxy": "127.0.0.1,localhost"
}


def run_of(folder: Path) -> RunFacts:
    (folder / "run").mkdir(parents=True, exist_ok=True)
    return RunFacts("r1", "conformance", folder / "run", folder)


def step_of(run: RunFacts) -> StepFacts:
    providers = {"adapter": {"name": "tilt", "settings": {"angle": 4, "sides": ["left"]}}}
    return StepFacts(run, "tune", "train", settings={SETTING: 3, "packed": True, "note": None}, providers=providers)


def points(begin: int, *values: float) -> list[MetricPoint]:
    return [MetricPoint(SERIES, value, begin + number) for number, value in enumerate(values)]


def answered(folder: Path) -> Artifact:
    """An adapter that was asked something while it trained."""
    folder.mkdir(parents=True, exist_ok=True)
    line = {"step": 2, "prompt": "Which way to the sea?", "completion": ANSWER}
    (folder / FILE).write_text(json.dumps(line) + "\n", encoding="utf-8")
    return Artifact("adapter/peft", folder)


def over(run: RunFacts, state: str = "done") -> Any:
    """What is known of a run at its end."""
    return SimpleNamespace(
        row=SimpleNamespace(id=run.id, pipeline=run.pipeline, state=state, error=None), steps={}, directory=run.directory
    )


def usual(tracker: Any, run: RunFacts) -> None:
    """A run of two steps, the first of which measures something while it works."""
    step = step_of(run)
    tracker.run_started(run)
    tracker.metrics_reported(step, points(0, 3.0, 2.5))
    tracker.metrics_reported(step, points(2, 2.0))
    if isinstance(tracker, HearsArtifacts):
        tracker.artifact_committed(step, answered(run.directory.parent / "made"))
    tracker.step_finished(replace(step, metrics={f"{SERIES}_at_last": 2.0}, seconds=1.0))
    tracker.step_finished(StepFacts(run, "judge:tune", "evaluate", metrics={"accuracy": 0.5}))
    tracker.run_finished(run, over(run))


def rough(tracker: Any, run: RunFacts) -> None:
    """A run in which much goes wrong: tried again, told again, no number, stopped in the middle of a step, told of twice."""
    step, broke = step_of(run), TunesmithError("TINY-1", "broke")
    tracker.run_started(run)
    tracker.step_failed(step, broke)
    again = replace(step, attempt=2)
    tracker.metrics_reported(again, points(0, 3.0, float("nan"), float("inf")))
    tracker.metrics_reported(again, points(1, 2.5, 2.0))
    tracker.step_failed(again, broke)
    tracker.step_finished(replace(step, name="data:rows", verb="prepare"))
    tracker.metrics_reported(replace(step, name="last", attempt=3), points(7, 1.0))
    tracker.run_finished(run, over(run, "serving"))
    tracker.run_finished(run, over(run, "cancelled"))


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Work in a folder, with no way out."""
    before, environment = Path.cwd(), dict(os.environ)
    os.environ.update(CLOSED)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@action("tracker", materials=(), warm=lambda subject: work(subject))
def work(subject: Subject) -> None:
    """Always in the same folder: a library that makes a database there takes its time for that once."""
    folder = subject.step.work / "told"
    folder.mkdir(parents=True, exist_ok=True)
    with within(folder):
        usual(subject.build(), run_of(folder))


@observer("tracker")
def observe(subject: Subject) -> Mapping[str, Any]:
    """Where it puts files, and what is in those that people read. What can't be reached may fail: the call shows what was to be sent."""
    folder = subject.folder("observed")
    with within(folder):
        tracker = subject.build()
        try:
            usual(tracker, run_of(folder))
        except (ImportError, TunesmithError):
            raise
        except Exception:
            traceback.print_exc()
    found = files(folder)
    names = sorted({re.sub(r"[0-9a-z]*\d[0-9a-z]*", "0", str(path.relative_to(folder))) for path in found})
    return {"names": names, "texts": [path.read_text(encoding="utf-8") for path in found if path.suffix in TEXTS and "run" in path.parts]}


@check("tracker.hears-a-run", kind="tracker", title="it hears every run out, also one whose steps fail, are tried again or cut short")
def hears_a_run(subject: Subject) -> Iterator[CheckFailed]:
    for tell in (usual, rough):
        folder = subject.folder("heard")
        with within(folder):
            try:
                tell(subject.build(), run_of(folder))
            except Exception as error:
                traceback.print_exc()
                where = next((f.name for f in traceback.extract_tb(error.__traceback__)[1:] if f.name != tell.__name__), "")
                yield CheckFailed(f"it raises {type(error).__name__} in {where or 'a method'} of {tell.__doc__.partition(':')[0].lower()}",
                                  found=str(error), fix="Take what a run may tell: see `tunesmith_tracking.contract`.")  # fmt: skip


@check("tracker.keeps-what-is-told", kind="tracker", title="series, settings, final metrics and a model's answers are in what it writes")
def keeps_what_is_told(subject: Subject) -> Iterator[CheckFailed]:
    folder = subject.folder("kept")
    with within(folder):
        usual(subject.build(), run_of(folder))
    written = b"".join(path.read_bytes() for path in files(folder) if path.parent.name != "made")
    if not written:
        raise NotRun("it leaves no file", where="a test of its own against a server")
    told = {"a series": SERIES, "a setting": SETTING, "a final metric": f"{SERIES}_at_last"}
    if isinstance(subject.build(), HearsArtifacts):
        told["an answer of the model"] = ANSWER
    for what, name in told.items():
        if name.encode() not in written:
            yield CheckFailed(
                f"it was told {what}, and wrote nothing of it",
                fix="`StepFacts` has `parameters()` and `metrics`, an artifact its completions.",
            )


@check("tracker.light", kind="tracker", title="before something is measured it imports nothing but the standard library and Tunesmith")
def light(subject: Subject) -> None:
    record, folder = subject.record, subject.folder("light")
    code = f"""
import sys
from pathlib import Path
from tunesmith.isolation.provider_import import build_provider
from tunesmith.contracts import RunFacts
tracker = build_provider({record.target!r}, {record.settings!r}, {subject.values!r}, {record.distribution!r})
tracker.run_started(RunFacts("r1", "conformance", Path(sys.argv[1]), Path(sys.argv[1])))
own = {record.target.partition(".")[0]!r}
heavy = {{name.partition(".")[0] for name in sys.modules if name[:1] != "_"}} - {{*sys.stdlib_module_names, own, "pluggy"}}
files = {{name: getattr(sys.modules.get(name), "__file__", None) or "" for name in heavy if not name.startswith("tunesmith")}}
print("heavy:", *sorted(name for name, file in files.items() if "site-packages" in file or "dist-packages" in file))
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckFailed("it can't be told that a run begins", found=done.stderr[-300:], fix="See `tunesmith_tracking.contract`.")
    if heavy := done.stdout.rpartition("heavy:")[2].split():
        raise CheckFailed(
            f"it imports {', '.join(heavy[:5])} before something is measured", fix="Import the library where a record is opened."
        )


@check("tracker.prints-nothing", kind="tracker", title="it writes nothing to the standard output, which is the command's own")
def prints_nothing(subject: Subject) -> None:
    folder = subject.folder("silent")
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as caught, within(folder):
        os.dup2(caught.fileno(), 1)
        try:
            usual(subject.build(), run_of(folder))
            sys.stdout.flush()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        caught.seek(0)
        printed = caught.read().decode(errors="replace").strip()
    if printed:
        raise CheckFailed(
            "it prints", found=printed[:200], fix="Tell the library to be silent: `tunesmith run --json` prints lines of JSON."
        )


@check("tracker.lets-go", kind="tracker", title="after a run that was cut short nothing of it keeps the process from ending")
def lets_go(subject: Subject) -> None:
    before, folder = {*threading.enumerate()}, subject.folder("let-go")
    with within(folder):
        tracker, run = subject.build(), run_of(folder)
        tracker.run_started(run)
        tracker.metrics_reported(step_of(run), points(0, 3.0))
        tracker.run_finished(run, over(run, "cancelled"))
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive() and not thread.daemon]
    if left:
        raise CheckFailed(f"threads go on after the run: {', '.join(left[:3])}", fix="Close in `run_finished` what is still open.")
