"""Plugins that listen to the tiny runs, made of texts, and what they have noted."""

from __future__ import annotations

import sys

from tiny_plans import Place

from tunesmith_sdk.testing.recorder import Recorder

WATCH = """
@hookimpl
def run_started(run):
    seen.append(("run", run.pipeline, run.directory.name == run.id))

@hookimpl
def step_starting(step):
    seen.append(("starting", step.name, step.settings["to"]))

@hookimpl
def step_finished(step):
    seen.append(("finished", step.name, dict(step.metrics), step.seconds > 0))

@hookimpl
def artifact_committed(step, artifact):
    seen.append(("artifact", step.name, (artifact.path / "numbers.txt").exists()))
"""

HANGING = """
import time

@hookimpl
def step_starting(step):
    seen.append(step.name)
    time.sleep(600)

@hookimpl
def step_finished(step):
    seen.append("finished")
"""


def seen(place: Place) -> list:
    return [entry for plugin in place.plugins for entry in sys.modules[plugin.module].seen]


def warnings(reporter: Recorder) -> list[str]:
    return [message for _, level, message in reporter.of("log") if level == "warning"]
