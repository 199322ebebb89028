"""What a GPU computes and how fast: `make test-gpu` and `make bench-gpu`, together ten minutes at most on one device.

    python benchmarks/gpu test [--device cuda] [--json FILE] [ENTRY ...]    results, held against the processor's
    python benchmarks/gpu bench [--device cuda] [--json FILE] [ENTRY ...]   speed and memory, against plain transformers and PEFT

Runs from a checkout: the packages of this repository need not be installed, nothing is downloaded. What it takes are torch, transformers,
peft, accelerate and pytest; what else is missing is skipped, with its name. Each entry has a process of its own and a time. With
`--device cpu` the same code runs with tiny sizes, to try it where there is no GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from entries import BENCH, ENTRIES, PATIENCE, TEST, TOTAL, Entry
from runner import run_entry
from told import FAILED, SKIPPED, Row

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from checkout_path import IMPORTED, environment, missing  # noqa: E402

LIBRARIES = {"torch": "torch", "transformers": "transformers", "peft": "peft", "accelerate": "accelerate", "pytest": "pytest"}
QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONDONTWRITEBYTECODE": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=(TEST, BENCH))
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="of the suite: " + ", ".join(entry.name for entry in ENTRIES))
    parser.add_argument("--device", default="cuda", help="as torch names it (default: cuda)")
    parser.add_argument("--json", type=Path, help="write the rows, with device, versions, date and commit")
    args = parser.parse_intermixed_args()
    if lacking := missing(LIBRARIES | IMPORTED):
        print(f"{sys.executable} has no {', '.join(lacking)}: pip install {' '.join(lacking)}", file=sys.stderr)
        return 2
    chosen = [entry for entry in ENTRIES if entry.suite == args.suite and (not args.entries or entry.name in args.entries)]
    if unknown := set(args.entries) - {entry.name for entry in chosen}:
        parser.error(f"{args.suite} has no {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        own = {"TUNESMITH_HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache")}
        environment_spec = environment(folder / "metadata") | QUIET | own
        facts = _facts(args.device, environment_spec)
        if facts is None:
            return 2
        print(_head(facts), flush=True)
        return _run_all(chosen, args, folder, environment_spec, facts)


def _run_all(
    chosen: Sequence[Entry], args: argparse.Namespace, folder: Path, environment_spec: dict[str, str], facts: dict[str, Any]
) -> int:  # fmt: skip
    """The exit status. The file is written anew after each entry, so that what was found stays if the machine goes."""
    begun, patience = time.monotonic(), PATIENCE if args.device == "cpu" else 1
    found: list[dict[str, Any]] = []
    for entry in chosen:
        started = time.monotonic()
        left = TOTAL[args.suite] * patience - (started - begun)
        told = run_entry(entry, args.device, folder, environment_spec, min(entry.limit * patience, left))
        ended = time.monotonic()
        print(_lines(entry, told, ended - started), flush=True)
        found += [{"entry": entry.name, **asdict(row)} for row in told]
        if args.json:
            written = {**facts, "suite": args.suite, "seconds": round(ended - begun), "rows": found}
            args.json.write_text(json.dumps(written, indent=2) + "\n")
    failed, skipped = (sum(row["state"] == state for row in found) for state in (FAILED, SKIPPED))
    print(f"\n{len(found)} rows, {failed} failed, {skipped} skipped, {time.monotonic() - begun:.0f} s")
    return int(failed > 0)


def _facts(device: str, environment_spec: dict[str, str]) -> dict[str, Any] | None:
    """What the figures are of; None where there is no such device, which is told."""
    program = "import json, sys; from facts import facts; print(json.dumps(facts(sys.argv[1])))"
    here = environment_spec | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), environment_spec["PYTHONPATH"]])}
    done = subprocess.run([sys.executable, "-c", program, device], env=here, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{device}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1]) | {"date": datetime.now(timezone.utc).date().isoformat(), "commit": _commit()}


def _commit() -> str:
    """Empty where the checkout has lost its history."""
    if not shutil.which("git"):
        return ""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _head(facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if version)
    return f"{facts['device']}, {facts['date']}, {facts['commit']}; {versions}" + (f"; driver {facts['driver']}" if facts["driver"] else "")


def _lines(entry: Entry, told: Sequence[Row], seconds: float) -> str:
    lines = [f"\n{entry.name}: {entry.summary} ({seconds:.0f} s)"]
    width = max((len(row.what) for row in told), default=0)
    for row in told:
        rest = " - ".join(filter(None, (row.found, row.reason)))
        lines.append(f"  {row.state:8}  {row.what:{width}}  {rest}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
