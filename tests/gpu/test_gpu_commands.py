"""`make test-gpu` and `make bench-gpu` do on a processor, with tiny sizes, all that they will do on a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu"
PROGRAM = """\
import sys
from entries import TOTAL, ENTRIES, Entry
from pathlib import Path
from runner import run_entry
import json, os
from dataclasses import asdict
found = run_entry(Entry("own", "test", sys.argv[1], 60, "an entry"), "cpu", Path(sys.argv[2]), os.environ, float(sys.argv[3]))
print(json.dumps([asdict(row) for row in found]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["test", "bench"])
@pytest.mark.timeout(3000)
def test_every_entry_runs_from_a_checkout(tmp_path: Path, bare, suite: str) -> None:
    file = tmp_path / "found.json"
    done = bare(suite, "--device", "cpu", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert {"device", "driver", "versions", "date", "commit", "suite", "rows"} <= found.keys()
    assert found["versions"]["torch"]
    states: dict[str, set[str]] = {}
    for row in found["rows"]:
        states.setdefault(row["entry"], set()).add(row["state"])
        assert row["found"] or row["reason"], row
    wanted = {entry: {"passed", "measured"} for entry in _entries(suite)}
    assert states.keys() == wanted.keys()
    assert [entry for entry in wanted if not states[entry] & wanted[entry]] == []


def test_one_entry_runs_from_a_checkout(tmp_path: Path, bare) -> None:
    done = bare("test", "attention", "--device", "cpu", "--json", str(tmp_path / "found.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["what"].partition(",")[0]: row for row in json.loads((tmp_path / "found.json").read_text())["rows"]}
    assert (rows["loop"]["state"], rows["mask"]["state"]) == ("passed", "passed")
    assert (rows["flex"]["state"], rows["flex"]["reason"]) == ("skipped", "its backward pass is for GPUs")


def test_without_the_device_it_says_so(bare) -> None:
    done = bare("test", "--device", "cuda:7")
    assert done.returncode == 2
    assert done.stderr.startswith("cuda:7: ")
    assert not done.stdout


def test_what_is_missing_is_named() -> None:
    done = subprocess.run([sys.executable, "-S", "-E", str(COMMAND), "test"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "has no torch, transformers, peft, accelerate, pytest, pluggy, PyYAML, packaging: pip install torch" in done.stderr


def test_together_they_take_ten_minutes_at_most() -> None:
    program = "from entries import TOTAL; print(sum(TOTAL.values()))"
    done = subprocess.run([sys.executable, "-c", program], cwd=COMMAND, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 600


@pytest.mark.parametrize(
    ("code", "limit", "reason"),
    [("while True: pass", 1.0, "not done after 1 s"),
     ("def run(device, folder, tell): tell.measured('it', 'was told'); raise ValueError('then this')", 60.0, "ValueError: then this"),
     ("from told import Skip\ndef run(device, folder, tell): raise Skip('no such thing')", 60.0, "no such thing")],
    ids=["hangs", "fails", "skips"],
)  # fmt: skip
def test_an_entry_that_does_not_come_to_its_end_is_told(tmp_path: Path, monkeypatch, code: str, limit: float, reason: str) -> None:
    (tmp_path / "own_entry.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}")
    (tmp_path / "folder").mkdir()
    command = [sys.executable, "-c", PROGRAM, "own_entry", str(tmp_path / "folder"), str(limit)]
    done = subprocess.run(command, cwd=COMMAND, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    assert reason in rows[-1]["reason"]
    assert rows[-1]["state"] == ("skipped" if "Skip" in code else "FAILED")
    assert ("was told" in rows[0]["found"]) == ("was told" in code)


def _entries(suite: str) -> list[str]:
    program = f"from entries import ENTRIES; print(*[entry.name for entry in ENTRIES if entry.suite == {suite!r}])"
    return subprocess.run([sys.executable, "-c", program], cwd=COMMAND, capture_output=True, text=True, check=True).stdout.split()
