"""The first thing a user does, whole: a real pretrained model through its life on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "examples" / "quickstart" / "tunesmith.yaml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quickstart") / "home"


@pytest.fixture(scope="module")
def first(home: Path) -> dict[str, dict]:
    """The run that fills the home; each process that runs tests of this file has its own."""
    return run(home)


def run(home: Path, *arguments: str) -> dict[str, dict]:
    """The outcome of a run by step."""
    command = [sys.executable, "-m", "tunesmith_cli", "run", str(QUICKSTART), "--json", *arguments]
    done = subprocess.run(command, env=os.environ | {"TUNESMITH_HOME": str(home)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    finished = next(event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "run_finished")
    assert finished["state"] == "done"
    assert Path(finished["report"]).is_file()
    return {step["step"]: step for step in finished["steps"]}


def made(step: dict) -> bool:
    """Whether a step makes files; a service only lives while others read it."""
    return bool(step["artifact"]) and not step["artifact"]["format"].startswith("endpoint/")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_quickstart_teaches_a_real_model_what_it_did_not_know(first: dict[str, dict]):
    steps = first
    assert steps["score:model:generation"]["metrics"]["exact_match"] <= 0.1
    assert steps["score:tune:generation"]["metrics"]["exact_match"] >= 0.7
    assert steps["score:tune:perplexity"]["metrics"]["perplexity"] < steps["score:model:perplexity"]["metrics"]["perplexity"] / 2
    asked = {name: step["metrics"]["exact_match"] for name, step in steps.items() if name.startswith("ask:")}
    assert asked["ask:model:generation"] == 0.0
    assert asked["ask:api:generation"] >= 2 / 3, "the tuned, quantized and served model knows what it was taught"
    assert steps["small"]["size"] < steps["tune.merge"]["size"] / 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("first")
def test_a_second_run_is_all_cached_and_a_changed_quantizer_redoes_only_what_depends_on_it(home: Path):
    again = run(home)
    assert all(step["cached"] for step in again.values() if made(step))
    changed = run(home, "--set", "steps.small.quantize.bitsandbytes.double_quant=false")
    redone = {name for name, step in changed.items() if not step["cached"] and made(step)}
    assert {"small", "score_small:small:generation", "score_small:small:perplexity"} <= redone
    untouched = {"model", "tune", "score:model:generation", "score:tune:generation", "score:model:perplexity", "score:tune:perplexity"}
    assert not redone & untouched
