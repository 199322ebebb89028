"""The targets of `make help`: each makes the environment that it needs, and runs what is there."""

from __future__ import annotations

import re
import subprocess

import pytest
from distributions import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M)


def recipe(target: str) -> list[str]:
    """The commands of a target, as make would run them."""
    done = subprocess.run(["make", "--dry-run", "--no-print-directory", target], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if not line.startswith("make")]


def test_help_lists_every_target() -> None:
    (declared,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.M)
    assert declared.split() == TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_makes_the_environment_that_it_uses(target: str) -> None:
    lines = recipe(target)
    used = next((number for number, line in enumerate(lines) if line.lstrip().startswith(".venv/bin/")), None)
    assert used is None or "tools/install.py" in "".join(lines[:used])


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_what_is_there(target: str) -> None:
    named = [word for line in recipe(target) for word in re.findall(r"(?:tools|benchmarks|examples)/[\w./-]+", line)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_marker_of_tests_that_make_test_leaves_out_has_a_target() -> None:
    left_out = set(re.findall(r"not (\w+)", next(line for line in recipe("test") if "pytest" in line)))
    run = " ".join(
        line for target in TARGETS if target.startswith("test-") for line in recipe(target) if "pytest" in line or "benchmarks/gpu" in line
    )
    assert left_out <= set(re.findall(r"\w+", run))
