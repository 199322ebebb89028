"""A home that a disk, or a person, has damaged: every command answers by a code, or fixes it; none answers by an internal error."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from tiny_plans import Place, plan, step

from tunesmith.errors import TunesmithError
from tunesmith.planning.plan import Plan
from tunesmith.running.journal.journal import FILE, Journal
from tunesmith.running.journal.plan_file import read_plan
from tunesmith.running.journal.run_directories import stored_plan
from tunesmith_cli.main import main
from tunesmith_sdk.testing.recorder import Recorder

LOOKING = (
    ("runs", "list"), ("runs", "list", "--json"), ("runs", "show"), ("runs", "show", "--json"), ("runs", "logs"), ("store", "ls"),
    ("store", "du"), ("store", "verify"),
)  # fmt: skip
STEPS = (step("a", to=3), step("b", reads="a", to=2))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run that came through and one that failed."""
    place = Place.at(tmp_path_factory.mktemp("base"))
    assert place.run(*STEPS).state == "done"
    assert place.run(STEPS[0], step("b", reads="a", fail="crash")).state == "failed"
    return place.home


@pytest.fixture
def home(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / ".tunesmith"))


def look(home: Path) -> str:
    """What the commands that look say of a home."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        for words in LOOKING:
            main(("--home", str(home), *words))
    assert "TS-RUN-099" not in said.getvalue(), said.getvalue()
    return said.getvalue()


def run(home: Path) -> str:
    """The code of the error that a run ends with; empty where it comes through."""
    try:
        outcome = Place(home, home.parent / "cache").run(*STEPS)
    except TunesmithError as error:
        return error.code
    return outcome.error.code if outcome.error else ""


def flip(file: Path, dice: random.Random, count: int = 1, within: int = 0) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(count):
        content[dice.randrange(within or len(content))] ^= 1 << dice.randrange(8)
    file.chmod(0o644)
    file.write_bytes(content)


@pytest.mark.parametrize("seed", range(12))
def test_a_journal_with_flipped_bytes_is_read_as_it_was_or_refused(base: Path, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    for number in range(6):
        home = Path(shutil.copytree(base, tmp_path / f"{number}" / ".tunesmith"))
        flip(home / FILE, dice, count=dice.choice([1, 1, 40]), within=dice.choice([0, 0, 100]))
        look(home)
    assert run(home) in ("", "TS-STORE-005", "TS-STORE-006")


def test_the_remedy_for_a_damaged_journal_works(home: Path) -> None:
    (home / FILE).write_bytes(b"no journal " * 500)
    assert run(home) == "TS-STORE-006"
    with pytest.raises(TunesmithError) as caught:
        Journal(home)
    command = caught.value.fix.removeprefix("Move it away: ").partition(". The artifacts")[0]
    assert os.system(command) == 0
    assert run(home) == ""
    assert not (home / "damaged" / FILE).read_bytes().startswith(b"SQLite")


def test_what_a_key_leads_to_is_believed_only_as_it_was_written(home: Path) -> None:
    journal = Journal(home)
    key = journal.steps(journal.runs()[-1].id)[0].key
    assert journal.cached(key).metrics == {"last": 4.0}
    journal._execute("UPDATE cache SET document = replace(document, '4.0', '5.0')")
    assert journal.cached(key) is None
    journal.close()
    assert run(home) == ""


@pytest.mark.parametrize("content", ["{}", "", "[]", "null", '{"note": {}}', "[" * 100_000])
def test_any_file_of_a_home_may_be_emptied(base: Path, tmp_path: Path, content: str) -> None:
    home = Path(shutil.copytree(base, tmp_path / ".tunesmith"))
    for file in [file for file in sorted(home.rglob("*")) if file.is_file() and file.name != FILE]:
        file.chmod(0o644)
        file.write_text(content)
    look(home)
    assert run(home) == ""


@pytest.mark.parametrize("part", ["store", "runs", "work", "staging", FILE, "", "store/*", "store/*/*/artifact.json", "store/*/*/files"])
def test_any_part_of_a_home_may_be_deleted(home: Path, part: str) -> None:
    for path in list(home.glob(part)) if part else [home]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    look(home)
    assert run(home) == ""
    assert run(home) == ""


def test_a_plan_with_a_flipped_byte_is_not_gone_on_with(home: Path) -> None:
    (failed,) = [row for row in Journal(home).runs() if row.state == "failed"]
    whole = read_plan(home / "runs" / failed.id)
    for seed in range(20):
        flip(home / "runs" / failed.id / "plan.json", random.Random(seed))
        assert plan_of(home, failed.id) in (whole, "TS-RUN-022")


def plan_of(home: Path, run: str) -> Plan | str:
    """The plan of a run, or the code of the error that says why there is none."""
    try:
        return stored_plan(home, run)
    except TunesmithError as error:
        return error.code


class Deleting(Recorder):
    """Deletes or moves the home when a step measures something."""

    def __init__(self, home: Path, moved: bool) -> None:
        super().__init__()
        self.home, self.moved = home, moved

    def metric(self, *_: object) -> None:
        if self.home.exists() and self.moved:
            self.home.rename(self.home.with_name("moved"))
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.mark.parametrize("moved", [True, False])
def test_a_home_deleted_while_a_step_runs_ends_the_run_by_its_code(tmp_path: Path, moved: bool) -> None:
    place = Place.at(tmp_path)
    slow = step("a", to=200, pause=0.05)
    outcome = place.run(slow, reporter=Deleting(place.home, moved))
    assert (outcome.state, outcome.error.code, outcome.exit_status) == ("failed", "TS-STORE-007", 1)
    assert outcome.report is None
    shutil.rmtree(place.home, ignore_errors=True)
    if moved:
        (tmp_path / "moved").rename(place.home)
        (row,) = Journal(place.home).runs()
        assert stored_plan(place.home, row.id) == plan(slow), "put back, it can be gone on with"
    assert place.run(step("a", to=2)).state == "done"


def test_a_home_deleted_at_the_very_end_is_not_called_done(tmp_path: Path) -> None:
    class Late(Deleting):
        def step_finished(self, *_: object) -> None:
            super().metric()

        def metric(self, *_: object) -> None:
            """Not yet."""

    place = Place.at(tmp_path)
    outcome = place.run(step("a", to=2), reporter=Late(place.home, False))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-STORE-007")


def test_a_note_of_an_earlier_command_that_was_damaged_is_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".tunesmith" / "commands"
    folder.mkdir(parents=True)
    for content in ("{}", "", "[]", json.dumps({"note": {"steps": []}, "sha256": "1"})):
        (folder / "sft.json").write_text(content)
        said = io.StringIO()
        with redirect_stderr(said):
            assert main(("--home", str(tmp_path / ".tunesmith"), "eval", "--from", "sft", "perplexity")) == 2
        assert "TS-RUN-099" not in said.getvalue()
