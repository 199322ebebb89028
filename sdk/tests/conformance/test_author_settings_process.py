"""Tests of an author's `settings`: held open for the examination of a provider, and over with it."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import NOT_KEPT
from tunesmith_sdk.testing.documented_examples import example

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "conformance" / "author.md"
TABLE = '[tool.tunesmith.conformance]\nauthor = "author.py"'
#: a provider that can't even be built without its server
SETTINGS = """@dataclass(frozen=True)
class Settings:
    url: str = setting(help="of a server that is up")
    greeting: str = setting("hello", help="what it says there")
"""
ASKING = (NOT_KEPT, NOT_KEPT.replace("pass", "import urllib.request\n        urllib.request.urlopen(settings.url + '/models').close()"))
CHECKS = ["provider.loads", "settings.round-trip"]


def write(folder: Path, author: str, table: str = TABLE) -> Path:
    (folder / "author.py").write_text(author)
    return mutants.write(folder, "input_reader", ASKING, settings=SETTINGS, table=table)


def outcomes(folder: Path, *only: str) -> dict[str, tuple[str, str]]:
    return {outcome.check: (outcome.state, outcome.what) for outcome in mutants.conform(folder, only=only or CHECKS).outcomes}


def test_the_page_s_example_examines_a_provider_that_needs_a_server(tmp_path: Path):
    assert outcomes(write(tmp_path, example(PAGE, "settings"))) == dict.fromkeys(CHECKS, ("passed", ""))


def test_without_it_that_provider_fails(tmp_path: Path):
    assert outcomes(write(tmp_path, "def settings(case):\n    return None\n"), "provider.loads")["provider.loads"][0] == "failed"


HOLDING = """
import os, subprocess, sys
from pathlib import Path
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

def settings(case):
    print("a line that is no answer")
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path("NOTE").write_text(f"{os.getpid()} {started.pid} {case.settings['greeting']}")
    with scripted_endpoint({}, case.directory) as endpoint:
        yield {"url": endpoint.meta["url"]}
    Path("NOTE").write_text(Path("NOTE").read_text() + " ended")
"""


def test_it_knows_the_table_goes_on_to_its_end_and_leaves_nothing_behind(tmp_path: Path):
    note = tmp_path / "note"
    table = TABLE + '\n[tool.tunesmith.conformance.settings]\n"input_reader.tried" = {greeting = "good day"}'
    assert outcomes(write(tmp_path, HOLDING.replace("NOTE", str(note)), table)) == dict.fromkeys(CHECKS, ("passed", ""))
    held, started, greeting = note.read_text().split(" ", 2)
    assert greeting == "good day ended"
    assert not alive(int(held))
    assert not alive(int(started))


def alive(pid: int) -> bool:
    """Whether a process still works a moment later; one that is dead and not yet waited for does not."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize(
    ("author", "state", "said"),
    [
        ("def settings(case):\n    raise KeyError('oh')\n    yield {}\n", "failed", "KeyError: 'oh'"),
        ("def settings(case):\n    return {'url': 7}\n", "failed", "`url`"),
        ("def settings(case):\n    return {'uri': 'http://127.0.0.1:9'}\n", "failed", "`uri`"),
        ("import no_such_library\n\ndef settings(case):\n    return {}\n", "not run", "no_such_library"),
    ],
)
def test_what_it_can_t_give_is_told_at_each_check_of_the_provider(author: str, state: str, said: str, tmp_path: Path):
    found = outcomes(write(tmp_path, author), *CHECKS, "source.describes-itself", "step.cancels")
    assert found.pop("source.describes-itself") == ("passed", "")
    assert {*found} == {*CHECKS, "step.cancels"}
    assert {told for told, _ in found.values()} == {state}
    assert all(said in what for _, what in found.values())
