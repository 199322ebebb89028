"""Wall milliseconds from asking for a worker to having its answer to a step that does nothing, and to its process being gone.

What every step costs on top of its plugin's own imports; the target is 150. The best and the median of several runs; `--json` for
programs. Beside it, for the scale: the same machine's `python -c pass`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tunesmith.running.executors import Local
from tunesmith.running.switchboard import Switchboard
from tunesmith.running.workers import Work, Workers


def nothing(step: object) -> None:
    """The step that is measured."""


def start(directory: Path) -> tuple[float, float]:
    """Seconds to the answer and to the end of one worker."""
    step = {
        "name": "nothing", "output": str(directory), "work": str(directory), "seed": 0, "placement": {}, "settings": {},
        "settings_class": "", "distribution": "", "inputs": {}, "choices": {},
    }  # fmt: skip
    board = Switchboard()
    began = time.perf_counter()
    workers = Workers(Work("nothing", f"{Path(__file__).stem}:nothing", (step,), directory), Local(), board, lambda method, params: None)
    workers.start()
    while not workers.done:
        board.pump(0.1)
        workers.tick()
    workers.result()
    answered = time.perf_counter()
    workers.close()
    board.close()
    return answered - began, time.perf_counter() - began


def measure(runs: int) -> dict[str, dict[str, float]]:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    with tempfile.TemporaryDirectory() as scratch:
        start(Path(scratch))  # warms the file system
        times = [start(Path(scratch)) for _ in range(runs)]
    bare = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(time.perf_counter() - began)
    series = {"to the answer": [t for t, _ in times], "to the end": [t for _, t in times], "python -c pass": bare}
    return {name: {"best": min(values) * 1e3, "median": statistics.median(values) * 1e3} for name, values in series.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = measure(args.runs)
    if args.json:
        print(json.dumps(found))
        return
    for name, times in found.items():
        print(f"{name:16} best {times['best']:6.1f} ms   median {times['median']:6.1f} ms")


if __name__ == "__main__":
    main()
