"""Tests of what the kit makes of outcomes: expected failures, levels, badges."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path

import pytest

from tunesmith.errors import UserError
from tunesmith_sdk.commands.check import CHECK
from tunesmith_sdk.conformance.report import badge, progress
from tunesmith_sdk.conformance.report.levels import reached
from tunesmith_sdk.conformance.report.outcome import Outcome, Report
from tunesmith_sdk.conformance.report.table import table

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]

EXPECTED = '[tool.tunesmith.conformance.expected-failures]\n"{}" = "{}"'


def states(folder: Path, *only: str) -> dict[str, str]:
    return {outcome.check: outcome.state for outcome in mutants.conform(folder, only=only).outcomes}


def test_an_expected_failure_is_no_fault_and_no_level(tmp_path: Path):
    folder = mutants.write(
        tmp_path, "device_backend", ("1000, 500", "1000, 5000"), table=EXPECTED.format("device_backend.probes", "the firmware: issue 7")
    )
    report = mutants.conform(folder, only=["device_backend.probes", "device_backend.light"])
    outcome = next(o for o in report.outcomes if o.check == "device_backend.probes")
    assert (outcome.state, outcome.what, report.ok) == ("expected failure", "the firmware: issue 7", True)
    assert reached([(o.level, o.state) for o in report.outcomes if o.level != "gold"]) != "silver"


def test_an_expected_failure_that_passes_is_an_error(tmp_path: Path):
    folder = mutants.write(
        tmp_path, "device_backend", table=EXPECTED.format("device_backend.tried:device_backend.probes", "once upon a time")
    )
    assert mutants.failed(folder, "device_backend.probes") == {"device_backend.probes"}


@pytest.mark.parametrize(("check", "reason"), [("device_backend.probes", ""), ("device_backend.probs", "because")])
def test_an_expected_failure_needs_a_reason_and_a_check_that_there_is(check: str, reason: str, tmp_path: Path):
    folder = mutants.write(tmp_path, "device_backend", table=EXPECTED.format(check, reason))
    with pytest.raises(UserError, match="TS-PLUGIN-012"):
        mutants.conform(folder)


@pytest.mark.parametrize("key", ["device_backend.tired:device_backend.probes", "adapter.merges", "device_backend.tried:adapter.merges"])
def test_an_expected_failure_of_what_nobody_tries_is_refused(key: str, tmp_path: Path):
    folder = mutants.write(tmp_path, "device_backend", table=EXPECTED.format(key, "because"))
    with pytest.raises(UserError, match="TS-PLUGIN-012") as error:
        mutants.conform(folder)
    assert f"`{key}`" in error.value.what
    assert "device_backend.tried" in error.value.fix


def test_settings_of_a_provider_that_is_not_there_are_refused(tmp_path: Path):
    folder = mutants.write(tmp_path, "device_backend", table='[tool.tunesmith.conformance.settings]\n"device_backend.tired" = {a = 1}')
    with pytest.raises(UserError, match=r"settings of `device_backend\.tired`"):
        mutants.conform(folder)


def test_settings_that_a_provider_does_not_have_are_refused(tmp_path: Path):
    folder = mutants.write(tmp_path, "device_backend", table='[tool.tunesmith.conformance.settings]\n"device_backend.tried" = {a = 1}')
    with pytest.raises(UserError, match=r"`a` of `device_backend\.tried` is not a setting"):
        mutants.conform(folder)


def test_all_that_a_check_finds_is_told_at_once(tmp_path: Path):
    metrics = '{"share": right / len(samples), "other": 1.0, "third": float("nan")}'
    folder = mutants.write(tmp_path, "evaluator", ('{"share": right / len(samples)}', metrics))
    report = mutants.conform(folder, only=["evaluator.reports-what-it-declares"])
    (outcome,) = report.outcomes
    said = [outcome.what, *(one["what"] for one in outcome.further)]
    assert [part for sentence in said for part in ("`other`", "`third` that", "`third` is nan") if part in sentence] == [
        "`other`", "`third` that", "`third` is nan",
    ]  # fmt: skip
    text = table(report)
    assert all(sentence in text for sentence in said)
    assert text.count("page: docs/conformance/evaluator.reports-what-it-declares.md") == 1
    assert [one["what"] for one in report.to_json()["checks"][0]["further"]] == said[1:]
    assert len(outcome.said().splitlines()) == 3


def test_of_very_many_findings_some_are_shown(tmp_path: Path):
    further = tuple({"what": f"row {number} is odd", "found": "", "fix": ""} for number in range(2, 40))
    many = Outcome("a.b", "", "silver", "t", "failed", "row 1 is odd", further=further)
    shown = table(Report("p", "1", "host", [many]))
    assert "row 5 is odd" in shown
    assert "row 6 is odd" not in shown
    assert "... 34 more (--json)" in shown


def test_a_metric_that_needs_no_reference_is_not_held_to_know_the_rows(tmp_path: Path):
    folder = mutants.write(
        tmp_path, "evaluator",
        ('{"share": right / len(samples)}', '{"share": right / len(samples), "words": len(answer.split()) / 7}'),
        ('{"better": "higher"}', '{"better": "higher"}, "words": {"better": "lower", "reference": False}'),
    )  # fmt: skip
    found = states(folder, "evaluator")
    assert found["evaluator.prefers-the-better"] == found["evaluator.needs-no-reference"] == "passed"


def test_only_names_checks_or_says_which_there_are(tmp_path: Path):
    folder = mutants.write(tmp_path, "device_backend")
    assert set(states(folder, "device_backend.probes")) == {"device_backend.probes"}
    with pytest.raises(UserError, match="TS-PLUGIN-012"):
        mutants.conform(folder, only=["device_backend.prob"])


def test_a_level_is_reached_when_all_below_and_of_it_passed():
    bronze, silver, gold = ("bronze", "passed"), ("silver", "passed"), ("gold", "passed")
    assert reached([bronze, silver, gold]) == "gold"
    assert reached([bronze, silver, ("gold", "not run")]) == "silver"
    assert reached([bronze, ("silver", "expected failure"), gold]) == "bronze"
    assert reached([("bronze", "failed"), silver]) == ""
    assert reached([]) == ""


def test_a_badge_says_the_level_in_a_picture_or_a_line(tmp_path: Path):
    report = Report("acme", "1.0", "host", [Outcome("a.b", "", "bronze", "title", "passed")])
    badge.write(report, tmp_path / "badge.svg")
    badge.write(report, tmp_path / "badge.md")
    assert "gold" in (tmp_path / "badge.svg").read_text()
    assert "1 of 1 checks passed" in (tmp_path / "badge.md").read_text()


def test_the_command_gives_json_and_the_status_of_the_report(tmp_path: Path, capsys: pytest.CaptureFixture):
    from argparse import ArgumentParser

    parser = ArgumentParser()
    CHECK.configure(parser)
    folder = mutants.write(tmp_path, "device_backend", ("1000, 500", "1000, 5000"))
    assert CHECK.run(parser.parse_args([str(folder), "--only", "device_backend.probes", "--json"])) == 1
    (said,) = json.loads(capsys.readouterr().out)["checks"]
    assert (said["state"], said["page"]) == ("failed", "docs/conformance/device_backend.probes.md")


def outcome(check: str, state: str, **texts: str) -> Outcome:
    return Outcome(check, "exporter.tried", "bronze", f"title of {check}", state, **texts)


def test_a_report_says_of_what_is_wrong_what_was_found_and_what_to_do_and_the_reason_of_several_once():
    lacks = {"what": "it lacks a library", "fix": "elsewhere"}
    wrong = outcome("a.wrong", "failed", what="it is wrong", found="7", fix="Fix it.")
    report = Report(
        "acme", "1.0", "host", [outcome("a.fine", "passed"), outcome("b", "not run", **lacks), outcome("c", "not run", **lacks), wrong]
    )
    lines = [line.strip() for line in table(report).splitlines()]
    assert lines.count("it lacks a library") == lines.count("where: elsewhere") == 1
    at = lines.index("it is wrong")
    assert lines[at - 1 : at + 4] == [
        "WRONG     a.wrong  title of a.wrong", "it is wrong", "found: 7", "fix: Fix it.", "page: docs/conformance/a.wrong.md"
    ]  # fmt: skip
    assert lines[-2:] == ["1 ok, 1 WRONG, 2 not run, in the host's environment", "level: none (bronze lacks b, c, a.wrong)"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_tells_which_check_it_is_at_and_leaves_no_trace_of_that(tmp_path: Path):
    folder, terminal = mutants.write(tmp_path, "device_backend"), Terminal()
    with progress.line(terminal) as tell:
        mutants.conform(folder, only=["device_backend.probes", "device_backend.light", "targets"], tell=tell)
    said = terminal.getvalue().split("\r\x1b[K")
    assert said[1:] == [
        "1 of 3: targets.exist", "2 of 3: device_backend.probes of device_backend.tried",
        "3 of 3: device_backend.light of device_backend.tried", "",
    ]  # fmt: skip


def test_where_there_is_no_terminal_nothing_is_told():
    stream = io.StringIO()
    with progress.line(stream) as tell:
        tell("1 of 3")
    assert stream.getvalue() == ""


def test_a_badge_of_some_checks_is_refused(tmp_path: Path):
    from argparse import ArgumentParser

    parser = ArgumentParser()
    CHECK.configure(parser)
    with pytest.raises(UserError, match="all checks"):
        CHECK.run(parser.parse_args([str(tmp_path), "--only", "step", "--badge", str(tmp_path / "badge.svg")]))
