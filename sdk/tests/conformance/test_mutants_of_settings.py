"""Tests of the kit: a setting that does nothing is caught in every kind of provider, and one that does something is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tunesmith_sdk.conformance import conform
from tunesmith_sdk.conformance.mutants import NOT_KEPT
from tunesmith_sdk.conformance.report.outcome import Outcome

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]

CHECK = "settings.alive"
SETTINGS = """@dataclass(frozen=True)
class Settings:
    loud: int = setting(3, "nothing reads it", ge=1, le=11)
    high: int = setting(2, "something does", ge=1, le=11)
"""
KEPT = mutants.kept("high")

#: kind -> changes of the good plugin by which `high` does something, and `loud` nothing
DEAD = {
    "device_backend": (KEPT, ("500, 1)", "500, 10 * self.high)")),
    "evaluator": (KEPT, ("right / len(samples)", "right / (len(samples) + self.high)")),
    "executor": (KEPT, ("{**job.environment}", '{**job.environment, "SAID": str(self.high)}')),
    "environment_builder": (
        KEPT,
        ("return Environments(directory, find_links)", "return Environments(directory, find_links, self.high)"),
        ("self, directory, folders):", "self, directory, folders, high):\n        self.high = high"),
        ("venv.create(built.path, symlinks=True)", "venv.create(built.path, symlinks=self.high > 4)"),
    ),
    "exporter": (KEPT, ('"the exporter"', '"the exporter" * self.high')),
    "model_loader": (KEPT, ("repr(files)", "repr((files, self.high))")),
    "verb": (('"stamped"', '"stamped" * step.settings.high'),),
    "adapter": (KEPT, ("0.01 * torch.randn", "0.01 * self.high * torch.randn")),
    "quantizer": (KEPT, ("value.to(torch.bfloat16)", "(self.high * value).to(torch.bfloat16)")),
    "trainer_strategy": (KEPT, ("return value", "return self.high * value")),
    "inference_backend": (KEPT, ("        server.model,", "        Parrot.high = self.high\n        server.model,"),
                          ("pieces = pieces[:limit]", "pieces = pieces[:limit][: self.high]")),
}  # fmt: skip
FAULTS = {CHECK: DEAD}
HEAVY = {*mutants.HEAVY, "inference_backend"}

#: what tells the value again, which is no effect
ECHOES = {
    "in a file that says how the artifact was made": ('{"by": "the exporter"}', '{"by": "the exporter", "loud": self.loud}'),
    "in what the artifact's record says": ('Result(format="model/hf")', 'Result(format="model/hf", meta={"loud": self.loud})'),
    "in the log": ("step.check_cancelled()", 'step.log(f"exporting, {self.loud} loud")'),
    "on the standard output": ("step.check_cancelled()", "print(self.loud)"),
}
LOUD = mutants.kept("loud")


def looked_at(folder: Path) -> Outcome:
    (outcome,) = conform(folder, only=[CHECK]).outcomes
    return outcome


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind in HEAVY)) for kind in DEAD])
def test_a_dead_setting_is_caught_and_a_living_one_is_not(kind: str, tmp_path: Path):
    outcome = looked_at(mutants.write(tmp_path, kind, *DEAD[kind], settings=SETTINGS))
    assert outcome.state == "failed", outcome.said()
    assert [name for name, shows in outcome.notes.items() if shows == "dead"] == ["loud"]
    assert "`loud` is dead" in outcome.said()


def test_a_dead_setting_of_a_service_is_caught_and_a_living_one_is_not(tmp_path: Path):
    (tmp_path / "author.py").write_text('def visit(case, ready):\n    return ready["seen"]\n')
    table, record = '[tool.tunesmith.conformance]\nauthor = "author.py"', 'produces=("endpoint/stamp",), service=True'
    change = ('"stamped"', '"stamped" * step.settings.high')
    folder = mutants.write(tmp_path, "verb", change, settings=SETTINGS, good="service", record=record, table=table)
    assert looked_at(folder).notes == {"loud": "dead", "high": "visit"}


@pytest.mark.parametrize("where", ECHOES)
def test_a_setting_that_is_only_told_again_is_dead(where: str, tmp_path: Path):
    settings = SETTINGS.rpartition("    high")[0]
    assert looked_at(mutants.write(tmp_path, "exporter", LOUD, ECHOES[where], settings=settings)).notes == {"loud": "dead"}


def test_a_choice_that_does_what_another_does_is_dead(tmp_path: Path):
    settings = '@dataclass(frozen=True)\nclass Settings:\n    loss: str = setting("sigmoid", "", choices=("sigmoid", "hinge", "ipo"))\n'
    used = ('"the exporter"', '"x" * (1 + (self.loss != "sigmoid"))')
    outcome = looked_at(mutants.write(tmp_path, "exporter", mutants.kept("loss"), used, settings=settings))
    assert outcome.notes == {"loss": "dead"}
    assert '"ipo" does what "hinge" does' in outcome.said()


EFFECT = """@dataclass(frozen=True)
class Settings:
    mode: str = setting("plain", "how", choices=("plain", "brass"))
    loud: int = setting(3, "how loud", ge=1, effect=EFFECT)
"""
BOTH = (NOT_KEPT, NOT_KEPT.replace("pass", "self.settings = settings"))
MODE = ('"the exporter"', '"x" * (1 if self.settings.mode == "plain" else 1 + self.settings.loud)')


def with_effect(folder: Path, effect: str, *changes: tuple[str, str]) -> Outcome:
    return looked_at(mutants.write(folder, "exporter", BOTH, *changes, settings=EFFECT.replace("EFFECT", effect)))


def test_a_setting_is_looked_at_beside_those_with_which_it_matters(tmp_path: Path):
    assert with_effect(tmp_path, '{"with": {"mode": "brass"}}', MODE).notes["loud"] == "note.json.by, with mode: brass"


def test_a_setting_that_is_said_to_matter_with_another_and_does_not_is_dead(tmp_path: Path):
    assert with_effect(tmp_path, '{"with": {"mode": "plain"}}', MODE).notes["loud"] == "dead"


CALLED = ("step.check_cancelled()", "__import__('time').sleep(self.settings.loud / 1000)")
PLAIN_MODE = ('"the exporter"', '"x" * (1 + (self.settings.mode == "plain"))')


def test_a_setting_that_shows_in_a_call_of_a_library_is_looked_for_there(tmp_path: Path):
    assert with_effect(tmp_path, '{"call": "time:sleep"}', PLAIN_MODE, CALLED).notes["loud"] == "call of time:sleep"


@pytest.mark.parametrize("call", ["time:sleep", "time:no_such_function", "acme_exporter.provider:Provider.export"])
def test_a_call_that_is_not_made_or_is_the_plugin_s_own_shows_nothing(call: str, tmp_path: Path):
    assert with_effect(tmp_path, f'{{"call": "{call}"}}', PLAIN_MODE).notes["loud"] == "dead"


def test_a_setting_that_nothing_can_be_tried_of_is_not_run(tmp_path: Path):
    settings = SETTINGS.rpartition("    high")[0]
    outcome = looked_at(mutants.write(tmp_path, "exporter", ("step.check_cancelled()", "raise KeyError"), settings=settings))
    assert outcome.state == "not run"
