"""CPU seconds of what grows with use, at three sizes each: plans, the journal's points, artifacts that gc looks at, plugins that are found.

``python benchmarks/scale.py [--full] [--json]``: the last column is the exponent of growth between the two larger sizes (1: linear).
``--full`` takes the sizes of docs/performance.md, some ten minutes and gigabytes of disk.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.config import load_config
from tunesmith.contracts import ModelInfo
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.plan_text import plan_text
from tunesmith.planning.planner import make_plan
from tunesmith.planning.schedule import schedule
from tunesmith.plugins.registry import load_registry
from tunesmith.running.journal.journal import Journal
from tunesmith.running.store.store import Store
from tunesmith_cli.store_gc.garbage import Collector
from tunesmith_sdk.testing.plans import CONFIG, LAPTOP

SIZES = {"steps": (100, 300, 1_000), "points": (10_000, 100_000, 1_000_000), "artifacts": (300, 1_000, 3_000), "plugins": (10, 30, 100)}
FULL = {
    "steps": (1_000, 3_000, 10_000),
    "points": (100_000, 1_000_000, 10_000_000),
    "artifacts": (3_000, 10_000, 30_000),
    "plugins": (30, 100, 300),
}
BATCH = 1_000  # points that a step's reports bring together


def timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def steps(count: int, folder: Path) -> dict[str, float]:
    """A pipeline of so many exports of one model, of which every tenth reads the one before it."""
    names = [f"s{number}" for number in range(count)]
    made = {
        name: {"export": {"safetensors": {"max_shard_size": f"{number + 1}MB"}}, "from": names[number - 1] if number % 10 == 9 else "model"}
        for number, name in enumerate(names)
    }
    config = load_config(folder, home=folder / "home")
    registry = load_registry(config)
    info = ModelInfo("file://model", "1", "model/hf", {"model.safetensors": {"size": 269_000_000, "sha256": ""}}, CONFIG)
    spec = PipelineSpec.from_mapping({"model": "file://model", "steps": made}, folder, name="many")
    found, plans = {}, []
    found["plan"] = timed(
        lambda: plans.append(make_plan(spec, registry, resolve=lambda _: info, devices=LAPTOP, digest_of=lambda _: "0" * 64))
    )
    found["schedule"] = timed(lambda: schedule(plans[0], {}, []))
    found["print"] = timed(lambda: plan_text(plans[0]))
    return found


def points(count: int, folder: Path) -> dict[str, float]:
    """So many points of ten series, written in batches as a run does, and read again."""
    journal = Journal(folder / "home")

    def write() -> None:
        for begun in range(0, count, BATCH):
            with journal.batch():
                for number in range(begun, begun + BATCH):
                    journal.metric("key", f"series{number % 10}", number // 10, 0.5)

    try:
        return {"write": timed(write), "read": timed(lambda: journal.series("key"))}
    finally:
        journal.close()


def artifacts(count: int, folder: Path) -> dict[str, float]:
    """So many small artifacts: committed, found by gc, collected."""
    home = folder / "home"
    store, journal = Store(home), Journal(home)

    def commit() -> None:
        for number in range(count):
            staging = store.stage()
            (staging / "files" / "numbers.txt").write_text(str(number))
            store.commit(staging, format="numbers/plain")

    try:
        found = {"commit": timed(commit)}
        collector = Collector(home, journal)
        garbage = []
        found["gc: find"] = timed(lambda: garbage.append(collector.find()))
        assert len(garbage[0].artifacts) == count
        found["gc: delete"] = timed(lambda: collector.collect(garbage[0]))
        return found
    finally:
        journal.close()


def plugins(count: int, folder: Path) -> dict[str, float]:
    """So many plugins are installed: a command's start, the first and a later one."""
    import resource
    import subprocess

    from tunesmith_sdk.distributions.written_plugins import age, write_environment, write_many

    python, site = write_environment(folder / "environment")
    write_many(site, count)
    age(site)
    environment = os.environ | {"TUNESMITH_CACHE": str(folder / "cache"), "TUNESMITH_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    found = {}
    for name in ("first start", "later start"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(python), "-m", "tunesmith_cli", "plugin", "list"], env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found[name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found


MEASURES: dict[str, Callable[[int, Path], dict[str, float]]] = {
    "steps": steps,
    "points": points,
    "artifacts": artifacts,
    "plugins": plugins,
}


def growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The exponent by which the time grows from the second size to the third."""
    return math.log(max(seconds[-1], 1e-9) / max(seconds[-2], 1e-9)) / math.log(sizes[-1] / sizes[-2])


def measured(full: bool, only: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for what, sizes in (FULL if full else SIZES).items():
        for size in sizes if not only or what in only else ():
            folder = Path(tempfile.mkdtemp(prefix="tunesmith-scale-"))
            try:
                for name, seconds in MEASURES[what](size, folder).items():
                    found.setdefault(what, {}).setdefault(name, []).append(round(seconds, 3))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], choices=list(SIZES))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = measured(args.full, args.only)
    if args.json:
        print(json.dumps({"processor": platform.processor() or platform.machine(), "seconds": found}, indent=2))
        return
    for what, rows in found.items():
        sizes = (FULL if args.full else SIZES)[what]
        print(f"| {what} | " + " | ".join(f"{size:,}" for size in sizes) + " | growth |\n|---|" + "---:|" * (len(sizes) + 1))
        for name, seconds in rows.items():
            print(f"| {name} | " + " | ".join(f"{one:.2f}" for one in seconds) + f" | {growth(sizes, seconds):.2f} |")
        print()


if __name__ == "__main__":
    main()
