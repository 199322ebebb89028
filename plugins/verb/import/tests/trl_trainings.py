"""Trainings by TRL's own scripts, of configurations in the current folder, in one process: `python trl_trainings.py METHOD FILE ...`.

Prints JSON: file -> the loss of each optimizer step.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from pathlib import Path

import yaml


def losses(method: str, file: str) -> list[float]:
    script = importlib.import_module(f"trl.scripts.{method}")
    script.main(*script.make_parser().parse_args_and_config(args=["--config", file]))
    last = max(Path(yaml.safe_load(Path(file).read_text())["output_dir"]).glob("checkpoint-*/trainer_state.json"))
    return [entry["loss"] for entry in json.loads(last.read_text())["log_history"] if "loss" in entry]


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = {file: losses(method, file) for method, file in zip(sys.argv[1::2], sys.argv[2::2], strict=True)}
    print(json.dumps(found))
