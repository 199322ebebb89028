"""`tunesmith auto` where training or a smaller copy really fails: what is done about it, that its reason is told, and that nothing is kept
under settings that were not used."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from small_project import SmallProject

from tunesmith.running.journal.journal import Journal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

LONG = " ".join(["thing {number} is one of many"] * 20)
WIDE = {"num_hidden_layers": 8, "intermediate_size": 2048, "max_position_embeddings": 1024}  # few weights, many activations
MEMORY = 700  # MiB: what 4,096 tokens of it take is more, and all else is less


def trained_with(project: SmallProject, setting: str) -> set[object]:
    """Values of a setting under which results of training are kept."""
    journal = Journal(project.home)
    try:
        made = [row for row in journal.lineage() if (row.producer or {}).get("verb") == "train" and journal.cached(row.key)]
        return {(row.settings or {})[setting] for row in made}
    finally:
        journal.close()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of data hold on Linux")
def test_a_training_that_runs_out_of_memory_goes_on_in_smaller_pieces(tmp_path: Path):
    project = SmallProject(tmp_path, LONG, **WIDE)
    said = project.auto("tiny on chats.csv, lora, max_steps=2, batch size 12, dtype=float32", limit=MEMORY)
    told = [*re.finditer(r"try again after TS-TRAIN-013 with max_tokens_per_microbatch: (\d+) -> (\d+)", said)]
    assert told[0][1] == "4096", "the plan's choice, by the machine's memory"
    smaller = int(told[-1][2])
    assert smaller < 4096
    assert "did not fit in memory; the batch is cut into smaller ones, which gives the same loss" in project.reports[0]
    assert trained_with(project, "max_tokens_per_microbatch") == {smaller}
    again = project.typed("run", "--no-serve")
    assert f"taken from the cache with max_tokens_per_microbatch: 4096 -> {smaller}" in again, "who asks for 4096 is told"


def test_a_training_whose_loss_explodes_goes_on_slower(tmp_path: Path):
    project = SmallProject(tmp_path)
    said = project.auto("tiny on chats.csv, the adapter full, learning rate 1, dtype=float32, save_steps=1")
    told = [*re.finditer(r"try again after TS-TRAIN-001 with learning_rate: ([\d.]+) -> ([\d.]+)", said)]
    assert told[0][1] == "1.0"
    assert "training diverged: it goes on from the last checkpoint at which the loss had not risen" in project.reports[0]
    assert "score: perplexity" in said or "gate of score: perplexity of `tune`" in said
    assert trained_with(project, "learning_rate") == {float(told[-1][2])}


@pytest.mark.isolated
def test_a_quantizer_whose_copy_is_refused_is_followed_by_the_next(tmp_path: Path):
    """GPTQ's 4 bits really change a model with outliers more than 4 bits may, which the check `audit` sees, and what follows does not."""
    project = SmallProject(tmp_path, outliers=30)
    said = project.auto("tiny on chats.csv, save memory, lora, learning rate 0.01, no awq, no auto-round, dtype=float32")
    (remedy,) = re.findall(r"^where a smaller copy can't be made in one way, the next is tried.*$", said, re.MULTILINE)
    assert "TS-AUDIT" in remedy
    first, last = project.reports
    assert "gptq" in first
    assert "auto: copy" in last, "the report of the run that followed says why"
    small = yaml.safe_load((project.folder / "tunesmith.yaml").read_text())["steps"]["small"]["quantize"]
    assert "gptq" not in small
