"""CPU seconds of `tunesmith --help` and `tunesmith plugin list` with 0, 10 and 100 plugins installed, beside `pytest --version`.

Each environment is a fresh one with the kernel and synthetic plugins of ordinary size. The best of several runs counts, user and
system time together; the discovery cache is warm, as it is at every start but the first after an install. `--json` for programs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tunesmith_sdk.distributions.written_plugins import age, write_environment, write_many

COUNTS = (0, 10, 100)
COMMANDS = (("--help",), ("plugin", "list"))


def cpu_seconds(command: list[str], runs: int, environment: dict[str, str]) -> float:
    """User and system time of the best of `runs`."""
    best = float("inf")
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def measure(runs: int) -> dict[str, float]:
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in COUNTS:
            python, site = write_environment(Path(scratch, str(count)))
            write_many(site, count)
            age(site)
            environment = os.environ | {
                "TUNESMITH_CACHE": str(Path(scratch, "cache")),
                "TUNESMITH_HOME": scratch,
                "XDG_CONFIG_HOME": scratch,
            }
            if count == 0:
                found["python -c pass"] = cpu_seconds([str(python), "-c", "pass"], runs, environment)
            for words in COMMANDS:
                command = [str(python), "-m", "tunesmith_cli", *words]
                cold = cpu_seconds(command, 1, environment | {"TUNESMITH_CACHE": str(Path(scratch, "cold", str(count), words[0]))})
                found[f"tunesmith {' '.join(words)}, {count} plugins, first start"] = cold
                subprocess.run(command, env=environment, check=True, capture_output=True)
                found[f"tunesmith {' '.join(words)}, {count} plugins"] = cpu_seconds(command, runs, environment)
    # its own plugins left out, as a plain install of it would have none
    plain = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found["pytest --version"] = cpu_seconds([sys.executable, "-m", "pytest", "--version"], runs, plain)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="runs per measurement (default: 10)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    found = measure(args.runs)
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    peer = found["pytest --version"]
    print(f"{'':<50} CPU s   of pytest --version")
    for name, seconds in found.items():
        print(f"{name:<50} {seconds:5.3f}   {seconds / peer:5.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
