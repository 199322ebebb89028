"""What this plugin brings: the commands `probe`, `recommend` and `init`, and the score that is kept of what was predicted."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from tunesmith import RunView
from tunesmith.contracts.events import StepFacts
from tunesmith.hookspecs import hookimpl
from tunesmith_recommend import INIT, PROBE, RECOMMEND, WHY


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [
        ("recommend", RECOMMEND, "tunesmith_recommend.commands.recommend:main"),
        ("init", INIT, "tunesmith_recommend.commands.init:main"),
        ("runs why", WHY, "tunesmith_recommend.commands.why:main"),
        ("probe", PROBE, "tunesmith_recommend.commands.probe:main"),
    ]


@hookimpl
def step_starting(step: StepFacts) -> None:
    """Note what is predicted of it. That must not keep a step from starting, whatever is wrong."""
    from tunesmith_recommend.evidence.predictor import predict

    with contextlib.suppress(Exception):
        predict(step)


@hookimpl(tryfirst=True)  # before the report, which shows it
def run_finished(view: RunView) -> None:
    """Write down what came of it, and take what was measured into the knowledge base of the home."""
    from tunesmith_recommend.diagnosis.diagnosis import findings
    from tunesmith_recommend.diagnosis.finding import write_findings
    from tunesmith_recommend.evidence.knowledge_base import KnowledgeBase

    write_findings(view.directory, findings(view))
    if view.row.state not in ("running", "serving"):
        with contextlib.closing(KnowledgeBase(view.home)) as base:
            base.learn(view)
