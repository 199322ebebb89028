"""Law L5 where a model learns from what it writes, in one answer or several: kill -9 in sampling, scoring, updating and checkpointing comes
to the same bytes."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SCRIPT = Path(__file__).with_name("learning_process.py")
FILES = ("adapter_model.safetensors", "rollouts.jsonl.gz", "samples.jsonl")
OBJECTIVES = {
    "grpo": FILES, "ppo": (*FILES, "heads.safetensors"), "grpo-episodes": FILES, "ppo-episodes": (*FILES, "heads.safetensors"),
}  # fmt: skip
#: where it dies, each time after how many calls, and of those since there were how many checkpoints
STAGES = {"sample": ((5, 0), (5, 1)), "score": ((1, 0), (1, 1)), "update": ((1, 0), (3, 1)), "checkpoint": ((1, 0), (1, 1))}


def learn(model: Path, directory: Path, objective: str, *death: object) -> tuple[int, str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(SCRIPT), str(model), str(directory), objective, *map(str, death)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module", params=OBJECTIVES)
def undisturbed(request, model, tmp_path_factory):
    """Name, and the directory of a run that nobody killed."""
    home = tmp_path_factory.mktemp(request.param)
    assert learn(model, home, request.param)[0] == 0
    return request.param, home / "output"


@pytest.mark.parametrize("stage", STAGES)
def test_killed_anywhere_it_comes_to_the_same_adapter_and_each_rollout_once(undisturbed, model, tmp_path, stage):
    objective, whole = undisturbed
    for death in STAGES[stage]:
        assert learn(model, tmp_path, objective, stage, *death)[0] == -signal.SIGKILL
        assert not (tmp_path / "output" / FILES[0]).exists()
    status, told = learn(model, tmp_path, objective)
    assert status == 0
    assert "goes on from step" in told
    for file in OBJECTIVES[objective]:
        assert (tmp_path / "output" / file).read_bytes() == (whole / file).read_bytes(), file
    lines = [json.loads(line) for line in gzip.decompress((tmp_path / "output" / FILES[1]).read_bytes()).splitlines()]
    assert set(Counter((line["collection"], line["row"], line["sample"]) for line in lines).values()) == {1}
