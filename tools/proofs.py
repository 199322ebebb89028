"""The proofs that `make test` leaves out, for they take minutes or gigabytes: when each last passed, and which to run now.

    python tools/proofs.py status             every proof with the day and commit at which it last passed; fails for one that is out of date
    python tools/proofs.py share MINUTES      some of the slow ones, as many as take so long; which ones, the commit's hash decides

A proof is what a file has of slow tests (marked `slow` or `isolated`), or of those with engines. `make test-slow` and `make test-engines`
write what passed into tests/proofs.json, which is committed: it is out of date once its package has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "tests" / "proofs.json"
KINDS = {"slow": ("slow", "isolated"), "engines": ("engines",)}  # of proofs, with their markers
_MARKED = re.compile(r"pytest\.mark\.(slow|isolated|engines)\b")
_UNKNOWN = 240.0  # seconds of a proof that has not passed yet
_CORES = 2
_ROOM = 0.85  # of the time: starts, what one worker does while the other has nothing left, a machine slower than the ledger's


@dataclass(frozen=True)
class Passed:
    """When a proof last passed.

    Args:
        day: as in 2026-11-28.
        commit: that was tested.
        seconds: that its tests took, one after the other.
    """

    day: str
    commit: str
    seconds: float


def package(file: str) -> str:
    """The folder whose tests a file's are: of a distribution, or of `tests/`."""
    own = next((folder for folder in Path(file).parents if folder.name and (ROOT / folder / "pyproject.toml").is_file()), None)
    return own.as_posix() if own else "/".join(Path(file).parts[:2])


def subject(file: str) -> list[str]:
    """What a proof is about, as paths: its own distribution's code, or the kernel's, and itself."""
    folder = package(file)
    return [f"{folder}/src" if (ROOT / folder / "src").is_dir() else "core/src", file]


def proofs(kind: str) -> Iterator[str]:
    """Files with proofs of a kind."""
    for path in sorted(ROOT.glob("*/**/test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        if not file.startswith((".", "build/")) and set(_MARKED.findall(path.read_text(encoding="utf-8"))) & set(KINDS[kind]):
            yield file


def ledger(kind: str) -> dict[str, Passed]:
    """By file."""
    return {file: Passed(**entry) for file, entry in json.loads(LEDGER.read_text())[kind].items()}


def write(kind: str, passed: dict[str, Passed]) -> None:
    """Add to the ledger; what is no proof any more leaves it."""
    found = {one: ledger(one) | (passed if one == kind else {}) for one in KINDS}
    kept = {one: {file: asdict(found[one][file]) for file in proofs(one) if file in found[one]} for one in KINDS}
    LEDGER.write_text(json.dumps(kept, indent=1) + "\n")


def budget(package: str) -> float:
    """Seconds that a package's tests may take in `make test`."""
    budgets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["tunesmith"]["budgets"]
    return float(budgets.get(package, budgets["default"]))


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def changed(file: str, entry: Passed) -> bool:
    """Whether what the proof is about is another than when it passed; so too if that commit is not known here."""
    known = subprocess.run(["git", "diff", "--quiet", entry.commit, "--", *subject(file)], cwd=ROOT, stderr=subprocess.DEVNULL, check=False)
    return known.returncode != 0


def status() -> int:
    stale = 0
    for kind in KINDS:
        known = ledger(kind)
        for file in proofs(kind):
            entry = known.get(file)
            state = "never passed" if entry is None else "out of date" if changed(file, entry) else "passed"
            stale += state != "passed"
            print(f"{state:<13} {f'{entry.day} {entry.commit[:10]} {entry.seconds:5.0f} s' if entry else '':<30} {kind:<8} {file}")
    print(f"{stale} out of date" if stale else "all proofs hold")
    return 1 if stale else 0


def chosen(minutes: float, commit: str) -> list[str]:
    """Slow proofs for so many minutes on two cores, in an order that the commit decides. One that takes nearly all of them comes alone."""
    whole, found = minutes * 60 * _CORES, []
    left = whole * _ROOM
    for file in sorted(proofs("slow"), key=lambda file: hashlib.sha256(f"{commit} {file}".encode()).digest()):
        taken = seconds(file)
        if taken <= left or (not found and taken <= whole):
            found.append(file)
            left -= taken
    return found


def seconds(file: str) -> float:
    """What a slow proof is thought to take, its tests one after the other: what it took when it last passed."""
    known = ledger("slow").get(file)
    return known.seconds if known else _before_its_first_run(file)


def _before_its_first_run(file: str) -> float:
    """Seconds that a proof is thought to take of which nobody knows: without end for one that asks for more than pytest's usual limit."""
    return math.inf if "pytest.mark.timeout(" in (ROOT / file).read_text(encoding="utf-8") else _UNKNOWN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("status")
    commands.add_parser("share").add_argument("minutes", type=float)
    args = parser.parse_args()
    if args.command == "status":
        return status()
    commit = git("rev-parse", "HEAD")
    files = chosen(args.minutes, commit)
    print(f"{len(files)} of {len(list(proofs('slow')))} slow proofs, chosen by {commit[:10]}:", *files, sep="\n  ", flush=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "(slow or isolated) and not gpu and not engines",
        "-n",
        str(_CORES),
        "--dist",
        "worksteal",
    ]
    return subprocess.run([*command, *files], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
