"""Real training by each strategy, a process a rank."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import tiny_model

RANK = Path(__file__).with_name("rank.py")


def rows(objective: str):
    for number in range(11):
        prompt = [message("user", "What is it? " * (1 + number % 3))]
        if objective == "sft":
            yield {"messages": [*prompt, message("assistant", "A plugin." + " no" * number)]}
        else:
            yield {
                "messages": prompt,
                "chosen": [message("assistant", "Yes" * (number % 4 + 1))],
                "rejected": [message("assistant", "No.")],
            }


def launch(home: Path, model: Path, processes: int, **spec: Any) -> dict[int, dict[str, Any]]:
    """Run all ranks to their end; what each reported."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    (home / "data" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(spec.get("objective", "sft"))))
    (home / "meet").unlink(missing_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen([sys.executable, str(RANK), str(home), str(model), str(rank), str(processes), json.dumps(spec)], env=environment)
        for rank in range(processes)
    ]
    try:
        assert [rank.wait(timeout=300) for rank in ranks] == [0] * processes
    finally:
        for rank in ranks:
            rank.kill()
    return {rank: json.loads((home / f"rank{rank}.json").read_text()) for rank in range(processes)}


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("strategies"))


@pytest.fixture(scope="session")
def launched():
    """``launched(folder, model, processes, strategy="ddp", settings={...})``: all ranks of a step, run to their end; what each reported."""
    return launch
