"""Small configurations with the keys of public files: each key is accounted for, what is expected is there, and it can be planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.plugins.registry import Registry
from tunesmith.toml import read
from tunesmith_import.api import Account, Configuration, Draft, Options, pipeline_of, pipeline_text, read_configuration
from tunesmith_import.importer_choice import choose_importer
from tunesmith_import.mapping.table import REFUSED, UNKNOWN

CASES = [
    pytest.param(file.stem, case, id=f"{file.stem}-{number}")
    for file in sorted(Path(__file__).with_name("cases").glob("*.toml"))
    for number, case in enumerate(read(file)["case"])
]
ENDINGS = {"sh": "sh", "json": "json", "py": "py", "ipynb": "ipynb"}


def at(pipeline: Mapping[str, Any], path: str) -> Any:
    value: Any = pipeline
    for part in path.split("."):
        assert isinstance(value, Mapping), f"{path} is not in {pipeline}"
        assert part in value, f"{path} is not in {pipeline}"
        value = value[part]
    return value


def test_there_are_sixty_and_more_and_no_two_are_of_the_same_keys():
    assert len(CASES) >= 60
    assert len({(tool, case["keys_of"]) for tool, case in (param.values for param in CASES)}) == len(CASES)


def configured(case: dict[str, Any]) -> Configuration:
    """A case as a file in the current folder."""
    file = Path(f"{case.get('file', 'config')}.{ENDINGS.get(case.get('form', ''), 'yaml')}")
    file.write_text(case["text"], encoding="utf-8")
    return read_configuration(file)


def imported(tool: str, case: dict[str, Any], registry: Registry) -> tuple[Draft, Account]:
    """What a case becomes."""
    configuration = configured(case)
    importer = choose_importer(registry, configuration)
    assert type(importer).table == tool
    return importer.translate(configuration, replace(Options(method=case.get("method", "")), **case.get("options", {})))


@pytest.mark.parametrize(("tool", "case"), CASES)
def test_each_key_of_a_configuration_is_accounted_for_and_what_is_expected_is_there(
    tool: str, case: dict[str, Any], place: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(place)
    draft, account = imported(tool, case, registry)
    assert account.of(UNKNOWN) == []
    assert {verdict.entry.key for verdict in account.verdicts()} >= {entry.key for entry in configured(case).entries}
    assert {verdict.entry.key for verdict in account.of(REFUSED)} == set(case.get("refused", ()))
    pipeline = pipeline_of(draft)
    for path, value in case.get("expect", {}).items():
        assert at(pipeline, path) == value, path


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "case"), CASES)
def test_the_pipeline_can_be_planned(
    tool: str, case: dict[str, Any], place: Path, registry: Registry, planned: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(place)
    plan_of(case, imported(tool, case, registry), place, planned)


@pytest.mark.parametrize(("tool", "case"), list({param.values[0]: param for param in CASES}.values()))
def test_the_last_one_of_each_tool_can_be_planned(
    tool: str, case: dict[str, Any], place: Path, registry: Registry, planned: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(place)
    plan_of(case, imported(tool, case, registry), place, planned)


def plan_of(case: dict[str, Any], found: tuple[Draft, Account], place: Path, planned: Callable[..., Any]) -> None:
    written = place / "imported.yaml"
    written.write_text(pipeline_text(*found), encoding="utf-8")
    plan = planned(written, cards=case.get("devices") == "cards")
    assert any(step.name == "tune" for step in plan.steps)
