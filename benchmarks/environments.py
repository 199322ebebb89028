"""Seconds and megabytes of isolated environments, made by uv and by pip with an empty and with a filled cache; and of looking at them.

Each installer gets a cache directory of its own that is empty at first, so "cold" is a machine that has never seen the packages. "New on
disk" is what the file system holds more afterwards, cache and environment together, each file counted once. "Second" is a further
environment of the same packages beside the first. `--json` for programs; `--only NAME` for one recipe.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith_environments import environment, snapshot
from tunesmith_environments.disk_usage import measure
from tunesmith_environments.manager import Environments

RECIPES = {"xllamacpp": Recipe(("xllamacpp==2026.10.11549",)), "torch (CPU)": Recipe(("torch==2.13.0",))}
LOOKS = 30  # quick checks of which the best and the median are told


def made(installer: str, recipe: Recipe, directory: Path) -> tuple[environment.Environment, float, float, float]:
    """An environment, with wall seconds to resolve and to build it, and CPU seconds of both."""
    environments = Environments(directory, installer=installer)
    before, began = _cpu(), time.perf_counter()
    environments.lock(recipe)
    locked = time.perf_counter()
    built = environments.ensure(recipe)
    return built, locked - began, time.perf_counter() - locked, _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def looked(built: environment.Environment) -> dict[str, float]:
    """Milliseconds of the quick check and of the full one."""
    quick = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        assert snapshot.unchanged(built.path)
        quick.append((time.perf_counter() - began) * 1e3)
    began = time.perf_counter()
    assert not snapshot.damage(built.path, built.site, dict(built.packages))
    return {"quick_best_ms": min(quick), "quick_median_ms": statistics.median(quick), "full_ms": (time.perf_counter() - began) * 1e3}


def rows(installer: str, name: str, recipe: Recipe) -> list[dict[str, Any]]:
    """Cold, warm (the same again, deleted before) and second, each in a process of its own as a user's would be."""
    found = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIRECTORY")) as scratch:
        root = Path(scratch)
        caches = {"UV_CACHE_DIR": str(root / "cache" / "uv"), "PIP_CACHE_DIR": str(root / "cache" / "pip")}
        for case, folder in (("cold", "a"), ("warm", "b"), ("second", "c")):
            before = _disk(root)
            command = [sys.executable, __file__, "--one", installer, name, str(root / folder)]
            told = subprocess.run(command, env=os.environ | caches, check=True, capture_output=True, text=True).stdout
            row = json.loads(told) | {"recipe": name, "installer": installer, "case": case, "disk": _disk(root) - before}
            found.append(row)
            if case == "cold":
                subprocess.run(["rm", "-rf", str(root / "a")], check=True)
    return found


def _disk(path: Path) -> int:
    return measure(path)[0]


def one(installer: str, name: str, directory: Path) -> dict[str, Any]:
    built, resolving, building, cpu = made(installer, RECIPES[name], directory)
    size, shared = measure(built.path)
    facts = {"resolve_s": resolving, "build_s": building, "cpu_s": cpu, "size": size, "shared": shared, "packages": len(built.packages)}
    return facts | looked(built)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=RECIPES, help="one recipe")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=3, metavar=("INSTALLER", "RECIPE", "DIRECTORY"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(args.one[0], args.one[1], Path(args.one[2]))))
        return
    found = [
        row
        for name, recipe in RECIPES.items()
        if args.only in (None, name)
        for installer in ("uv", "pip")
        for row in rows(installer, name, recipe)
    ]
    if args.json:
        print(json.dumps(found, indent=2))
        return
    print("| | | | resolve s | build s | CPU s | environment MB | shared MB | new on disk MB | quick check ms | full check ms |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for row in found:
        times = " | ".join(f"{row[name]:.1f}" for name in ("resolve_s", "build_s", "cpu_s"))
        sizes = " | ".join(f"{row[name] / 1e6:.0f}" for name in ("size", "shared", "disk"))
        checks = f"{row['quick_best_ms']:.1f} to {row['quick_median_ms']:.1f} | {row['full_ms']:.0f}"
        print(f"| {row['recipe']} | {row['installer']} | {row['case']} | {times} | {sizes} | {checks} |")


if __name__ == "__main__":
    main()
