"""The command itself: which command is meant, what is said of mistakes, with what status it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import tunesmith
from tunesmith.errors import Cancelled, UserError
from tunesmith_cli.errors import error_text


def test_the_overview_lists_what_works_by_group(world):
    for words in ((), ("--help",), ("-h",), ("--debug",)):
        told = world(*words)
        assert told.status == 0
        headings = [line.partition(" (")[0] for line in told.out.splitlines() if line and not line.startswith((" ", "usage", "`", "The"))]
        assert headings == [
            "Pipelines", "Single steps", "Models and data", "What was done, and where", "Plugins", "Options",
        ]  # fmt: skip
    names = [line.split()[0] for line in told.out.splitlines() if line.startswith("  ")]
    assert {
        "plan",
        "run",
        "resume",
        "download",
        "echo",
        "teach",
        "fold",
        "quantize",
        "eval",
        "serve",
        "chat",
        "data",
        "runs",
        "desk",
    } <= set(names)
    assert "prepare" not in names, "data files are prepared on the way"
    assert "  echo      repeat what is said" in told.out


def test_every_command_in_the_overview_has_help_with_a_usage_line(world):
    lines = world("--help").out.splitlines()
    names = {line.split()[0] for line in lines[: lines.index("Options")] if line.startswith("  ")} - {"desk", "drawer"}  # a plugin's own
    assert len(names) >= 15
    for name in names:
        told = world(name, "--help")
        assert (told.status, told.err) == (0, ""), name
        assert told.out.startswith(f"usage: tunesmith {name}"), name


@pytest.mark.parametrize("group", ["data", "runs", "plugin"])
def test_a_group_shows_its_commands_and_each_of_them_its_help(world, group):
    told = world(group)
    names = [line.split()[0] for line in told.out.splitlines() if line.startswith("  ")]
    assert names
    for name in names:
        assert world(group, name, "--help").out.startswith(f"usage: tunesmith {group} {name}")


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (("rn",), "Did you mean `tunesmith run`?"),
        (("ecko",), "Did you mean `tunesmith echo`?"),
        (("evla",), "Did you mean `tunesmith eval`?"),
        (("xyzzy",), "`tunesmith --help` shows all commands."),
        (("sweep",), "`tunesmith --help` shows all commands."),
        (("runs", "lst"), "Did you mean `tunesmith runs list`?"),
        (("infer",), "Did you mean `tunesmith chat`?"),
        (("list",), "Did you mean `tunesmith runs list`"),
        (("plugin", "create"), "Did you mean `tunesmith plugin new`?"),
        (("tilt",), "`tilt` is an adapter, not a command"),
        (("tilt",), "Write `tunesmith echo --adapter tilt`."),
        (("shorter",), "Write `tunesmith quantize shorter`."),
        (("run", "--jsno"), "Did you mean `--json`?"),
        (("--jsno",), "Options go after the command"),
        (("--home",), "Write `--home DIR` before the command."),
    ],
)
def test_a_slip_is_told_with_what_was_meant(world, words, fix):
    told = world(*words)
    assert told.status == 2
    assert fix in told.err
    assert told.out == ""


def test_help_is_a_command_too(world):
    assert world("help").out == world("--help").out
    assert world("help", "run").out == world("run", "--help").out
    assert world("help", "runs", "show").out == world("runs", "show", "--help").out


def test_options_are_never_abbreviated(world):
    assert world("run", "--ref").status == 2


def test_the_version(world):
    assert world("--version").out == f"tunesmith {tunesmith.__version__}\n"


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "tunesmith_cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"tunesmith {tunesmith.__version__}\n"


def test_a_plugin_brings_commands_of_its_own(world):
    assert world("desk", "a", "lamp") == world("desk", "a", "lamp")
    told = world("desk", "a", "--lamp")
    assert (told.status, told.out) == (2, "the desk has a --lamp\n")
    broken = world("drawer")
    assert broken.status == 1
    assert "TS-CLI-003" in broken.err
    assert "acme-desk" in broken.err


def test_a_plugin_adds_a_command_to_a_verb(world):
    told = world("spell", "backwards", "--lamp")
    assert (told.status, told.out) == (1, "the desk has --lamp\n")
    assert "tunesmith spell backwards: spell a model's name from its end" in world("spell", "--help").out


def test_a_denied_plugin_takes_its_commands_with_it_and_they_say_why(world):
    world.write("tunesmith.toml", '[plugins]\ndeny = ["acme-*"]\n')
    told = world("--help")
    assert "echo" not in told.out
    assert "1 plugin is not fully active" in told.out
    assert world("echo").status == 2


def test_a_policy_that_cannot_be_read_stops_what_runs_but_not_what_looks(world):
    world.write("tunesmith.toml", "[plugins]\ndenny = []\n")
    world.write("p.yaml", "model: shelf://x\nsteps:\n  out: {quantize: shorter}\n")
    assert world("plugin", "list").status == 0
    assert world("--help").status == 0
    told = world("run", "p.yaml")
    assert told.status == 2
    assert "TS-PLUGIN-021" in told.err


def test_home_is_where_runs_are_kept_and_only_for_this_command(world, tmp_path):
    for words in (("--home", str(tmp_path / "one"), "download", "shelf://x"), ("download", "shelf://x", "--home", str(tmp_path / "two"))):
        assert world(*words).status == 0
    assert (tmp_path / "one" / "journal.sqlite").is_file()
    assert (tmp_path / "two" / "journal.sqlite").is_file()
    assert "TUNESMITH_HOME" not in os.environ
    assert world("runs", "list", "--json").json == []
    assert len(world("--home", str(tmp_path / "one"), "runs", "list", "--json").json) == 1


def test_an_error_of_a_program_is_json_where_it_reads(world):
    told = world("run", "absent.yaml", "--json")
    assert (told.status, told.err) == (2, "")
    assert told.json["event"] == "error"
    assert told.json["error"]["code"] == "TS-SPEC-001"
    assert set(told.json["error"]) >= {"what", "why", "fix", "user"}


def test_all_problems_are_told_at_once_each_with_its_number(world):
    world.write("p.yaml", "model: shelf://x\nsteps:\n  a: {quantize: shoter}\n  b: {quantize: shorter, frm: a}\n")
    told = world("plan", "p.yaml")
    assert told.status == 2
    assert "2 problems" in told.err
    assert " 1. TS-" in told.err
    assert " 2. TS-" in told.err
    assert told.err.count("fix:") == 2
    assert len(world("plan", "p.yaml", "--json").json["error"]["problems"]) == 2


def test_what_nobody_foresaw_is_logged_and_shown_with_debug(world, monkeypatch):
    monkeypatch.setattr("tunesmith.planning.placement.devices.probe", lambda registry: 1 / 0)
    told = world("doctor")
    assert told.status == 1
    assert "TS-RUN-099" in told.err
    assert "ZeroDivisionError" in told.err
    assert "Traceback" not in told.err
    assert "Traceback" in world("doctor", "--debug").err
    assert world("doctor", "--json").json["error"]["code"] == "TS-RUN-099"


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-m", "tunesmith_cli", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Cancelled])
def test_ctrl_c_before_anything_runs_ends_without_a_word(world, monkeypatch, stop):
    def interrupted(registry):
        raise stop

    monkeypatch.setattr("tunesmith.planning.placement.devices.probe", interrupted)
    assert (told := world("doctor")).status == 130
    assert told.out + told.err == ""


def test_ctrl_c_stops_the_run_and_it_can_go_on(world, site):
    world.write("p.yaml", "model: shelf://x\nsteps:\n  api: {serve: kettle}\n")
    process = subprocess.Popen(
        [sys.executable, "-c", PATCHED, str(site), "run", "p.yaml", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=world.folder,
    )  # fmt: skip
    for line in process.stdout:
        if json.loads(line)["event"] == "service_ready":
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(20) == 0, "a service that was stopped has done its work"
    assert "run_finished" in rest
    assert "Traceback" not in process.stderr.read()


PATCHED = """
import sys
from tunesmith.plugins import entry_points as scan
site = sys.argv.pop(1)
scan.search_path = lambda: [site]
from tunesmith_cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_no_color_and_dumb_terminals_are_respected(monkeypatch):
    from tunesmith_cli.errors import colored

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert colored(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colored(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not colored(Terminal())
    assert not colored(io.StringIO())


@pytest.mark.parametrize(
    ("code", "page"),
    [
        ("TS-RUN-011", "page: docs/errors/TS-RUN-011.md"),
        ("DESK-3", "page: https://acme.example/desk/DESK-3"),
        ("OTHER-3", ""),
    ],
)
def test_an_error_is_explained_where_its_plugin_says(world, code, page):
    told = error_text(UserError(code, "the drawer is stuck", fix="Pull."))
    assert told.splitlines()[-1].strip() == (page or "fix:  Pull.")
