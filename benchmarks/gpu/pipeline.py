"""A pipeline by the command line, from the plan to the last step: fine-tuning, merging and judging in workers, on the device."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from device import Device
from models import conversations, made, written
from told import Skip, Telling

PIPELINE = """\
name: gpu
model: {model}
device: {device}
steps:
  tune: {{train: sft, adapter: lora, data: rows.jsonl, settings: {{max_steps: 4, num_train_epochs: 4}}}}
  merged: {{merge: {{}}, from: tune}}
  judged: {{evaluate: perplexity, from: merged, data: rows.jsonl}}
"""
MISSING = "TS-ENV-"  # codes of plans that need an environment of their own


def run(device: Device, folder: Path, tell: Telling) -> None:
    if find_spec("rich") is None:
        raise Skip("the command line needs rich, which is not installed")
    model = made("tiny", folder, device.torch, device.compute)
    rows = [{"messages": _plain(row["messages"])} for row in conversations(16, shortest=60, longest=300)]
    written(iter(rows), folder)
    file = folder / "tunesmith.yaml"
    file.write_text(PIPELINE.format(model=model.as_uri(), device=device.torch.type))
    plan = _tunesmith(folder, "plan", str(file), "--json")
    if plan.returncode:
        said = (plan.stdout + plan.stderr).strip()
        if MISSING in said:
            raise Skip(f"the plan: {said.splitlines()[0][:300]}")
        raise RuntimeError(said[-2000:])
    placed = {step["device"] for step in json.loads(plan.stdout)["steps"] if step["name"] in ("tune", "judged")}
    tell.held("the plan puts it on the device", ", ".join(sorted(placed)), holds=placed == {device.torch.type}, limit=device.torch.type)
    done = _tunesmith(folder, "run", str(file), "--json")
    last = (done.stdout + done.stderr).strip().splitlines()[-1:]
    tell.held("the run", f"exit status {done.returncode}", holds=done.returncode == 0, limit=f"0: {' '.join(last)[:400]}")


def _plain(turns: list[dict]) -> list[dict]:
    return [{"role": turn["role"], "content": "".join(part["text"] for part in turn["content"])} for turn in turns]


def _tunesmith(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tunesmith_cli.main", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
