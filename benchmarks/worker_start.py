"""Wall milliseconds from asking for a worker to having its answer to a step that does nothing, and to its process being gone.

What every step costs on top of its plugin's own imports, in the host's environment and in a warm one of its own (looked up and checked
again for each step, as a run does); the target is 150. The best and the median of several runs, taken in turns; `--json` for programs.
Beside it, for the scale: the same machine's `python -c pass`. `--python 3.9` adds an environment of that Python; it may be given again.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Recipe, Start
from tunesmith.running.worker.local_starter import LocalStarter
from tunesmith.running.worker.processes import Work, Workers
from tunesmith.running.worker.selector import SocketSelector


def nothing(step: object) -> None:
    """The step that is measured."""


def start(directory: Path, place: Callable[[], Start]) -> tuple[float, float]:
    """Seconds to the answer and to the end of one worker, finding its place included."""
    step = {
        "name": "nothing", "output": str(directory), "work": str(directory), "seed": 0, "placement": {}, "settings": {},
        "settings_class": "", "distribution": "", "inputs": {}, "choices": {},
    }  # fmt: skip
    sockets = SocketSelector()
    began = time.perf_counter()
    work = Work("nothing", f"{Path(__file__).stem}:nothing", (step,), directory, place())
    workers = Workers(work, LocalStarter(), sockets, lambda method, params: None)
    workers.start()
    while not workers.done:
        sockets.pump(0.1)
        workers.tick()
    workers.result()
    answered = time.perf_counter()
    workers.close()
    sockets.close()
    return answered - began, time.perf_counter() - began


def isolated(directory: Path, python: str = "") -> Callable[[], Start]:
    """A worker in an isolated environment, which is built first."""
    from tunesmith_environments.manager import Environments  # the worker imports this module, and has no environments

    recipe = Recipe(("pluggy",), python=python, packages={Path(__file__).stem: Path(__file__)}, plugins=("benchmark",))
    environments = Environments(directory)
    environments.ensure(recipe)

    def place() -> Start:
        built = environments.ready(recipe)
        assert built is not None
        return environments.start(built, recipe)

    return place


def bare() -> tuple[float, float]:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    took = time.perf_counter() - began
    return took, took


def measure(runs: int, pythons: Sequence[str] = ()) -> dict[str, dict[str, float]]:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    with tempfile.TemporaryDirectory() as scratch:
        own = isolated(Path(scratch, "environments"))
        others = {version: isolated(Path(scratch, "environments"), f"=={version}.*") for version in pythons}
        timed = {
            "host": lambda: start(Path(scratch), Start),
            "isolated": lambda: start(Path(scratch), own),
            **{f"isolated, {version}": functools.partial(start, Path(scratch), place) for version, place in others.items()},
            "python -c pass": bare,
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in timed}
        for number in range(runs + 1):
            for name, once in timed.items():
                taken = once()
                if number:  # the first warms the file system
                    times[name].append(taken)
    series = {
        f"{name}, to the {end}": [pair[i] for pair in pairs] for name, pairs in times.items() for i, end in enumerate(("answer", "end"))
    }
    return {name: {"best": min(values) * 1e3, "median": statistics.median(values) * 1e3} for name, values in series.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--python", action="append", default=[], metavar="3.N")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = measure(args.runs, args.python)
    if args.json:
        print(json.dumps(found))
        return
    for name, times in found.items():
        print(f"{name:30} best {times['best']:6.1f} ms   median {times['median']:6.1f} ms")


if __name__ == "__main__":
    main()
