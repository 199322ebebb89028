"""The conformance kit over every plugin of the repository. What runs in an environment of gigabytes is `engines`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith import toml
from tunesmith_sdk.conformance import Report, conform
from tunesmith_sdk.conformance.examination import examinations
from tunesmith_sdk.conformance.mutants import said_here
from tunesmith_sdk.conformance.report.outcome import NOT_RUN
from tunesmith_sdk.conformance.report.table import table
from tunesmith_sdk.manifest.source import find_sources

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = [path for top in ("plugins", "contrib") for path in find_sources(ROOT / top)]


def _data(folder: Path) -> dict:
    return toml.read(folder / "pyproject.toml")


def _runtime(folder: Path) -> str:
    return " ".join(_data(folder)["project"].get("optional-dependencies", {}).get("runtime", ()))


ISOLATED = [path for path in PLUGINS if _data(path).get("tool", {}).get("tunesmith", {}).get("environment", {}).get("prefer") == "isolated"]
APART = ("ray-tune", "ray")  # whose libraries, a gigabyte, are not installed for the tests; its own engine test builds them
#: why a check may be left out: for what the machine and its environments are, never for what a plugin's author left unsaid
REASONS = (
    "this examination is in the host's environment", "this environment lacks ", "this machine has no such device",
    "which this machine has not", "for want of a processor", "it can't train the kit's own network",
)  # fmt: skip
HEAVY = ("torch", "transformers")  # seconds of imports in every worker
BRING_THEM = ("peft", "bitsandbytes", "tunesmith-prompt")  #: what requires these
COMPOSING = ("serve",)  # whose author has heavy providers take part
#: where a change of a setting is tried with a new database, service or endpoint, minutes of work together; their own tests set each of
#: them (plugins/tracker/mlflow/tests/test_mlflow.py and the others')
SETTINGS_APART = ("mlflow", "wandb", "generation", "judge", "verdict", "rewards", "pass-at-k", "audit", "slurm", "ssh")
#: ten seconds and more of servers that are downloaded from, killed and asked; what each promises is tested beside it, too
LONG = (
    "storage", "huggingface", "modelscope", "bench", "remote", "import", "optuna", "environments", "mlflow", "verdict", "rewards", "audit",
    "judge", "generation", "slurm", "ssh", "ray",
)  # fmt: skip


def _runs_on(folder: Path, names: tuple[str, ...]) -> bool:
    return any(name in _runtime(folder) for name in names)


def _case(folder: Path) -> object:
    heavy = folder.name in (*COMPOSING, *SETTINGS_APART, *LONG) or _runs_on(folder, HEAVY + BRING_THEM)
    return pytest.param(folder, id=folder.name, marks=[pytest.mark.slow] if heavy else [])


def _long(folder: Path) -> object:
    return pytest.param(folder, id=folder.name, marks=[pytest.mark.slow] if folder.name in LONG else [])


def _unexplained(report: Report) -> list[str]:
    left_out = [outcome for outcome in report.outcomes if outcome.state == NOT_RUN]
    return [f"{outcome.key}: {outcome.what}" for outcome in left_out if not _explained(outcome.what)]


def _explained(what: str) -> bool:
    return any(reason in what for reason in REASONS)


@pytest.mark.timeout(1800)  # the training engine's verb has many settings, and each is trained with
@pytest.mark.parametrize("folder", [_case(path) for path in PLUGINS])
def test_it_keeps_what_its_kind_promises(folder: Path):
    report = conform(folder, env="host" if folder in ISOLATED or folder.name in APART else "auto")
    assert report.ok, table(report)
    assert _unexplained(report) == []


@pytest.mark.parametrize(
    "folder", [pytest.param(path, id=path.name) for path in PLUGINS if _runs_on(path, BRING_THEM) and not _runs_on(path, HEAVY)]
)
def test_in_this_process_it_keeps_them_too(folder: Path, tmp_path: Path):
    """All but that it stops and dies as it should, which takes processes, and in each the seconds of imports."""
    said = said_here(folder, tmp_path)
    assert said
    assert {id: told for id, told in said.items() if told["state"] != "passed" and not _explained(told.get("what", ""))} == {}


@pytest.mark.parametrize("folder", [_long(path) for path in PLUGINS if path.name in SETTINGS_APART])
def test_but_for_that_each_setting_shows_it_keeps_them_too(folder: Path):
    every = {planned.check.id for examination in examinations(folder) for planned in examination.planned}
    report = conform(folder, only=every - {"settings.alive"})
    assert report.ok, table(report)
    assert _unexplained(report) == []


def test_no_setting_of_the_kernel_s_verbs_is_dead():
    report = conform(ROOT / "core", only=["settings.alive"])
    assert report.ok, table(report)
    assert _unexplained(report) == []


@pytest.mark.engines
@pytest.mark.parametrize("folder", [pytest.param(path, id=path.name) for path in ISOLATED])
def test_it_does_so_in_an_environment_of_its_own(folder: Path):
    report = conform(folder, env="isolated")
    assert report.ok, table(report)
