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
COMMAND_LINE = ("rich", "fastjsonschema")


def run(device: Device, folder: Path, tell: Telling) -> None:
    if lacking := [name for name in COMMAND_LINE if find_spec(name) is None]:
        raise Skip(f"the command line needs {', '.join(lacking)}")
    model = made("tiny", folder, device.torch, device.compute)
    rows = [{"messages": _plain(row["messages"])} for row in conversations(16, shortest=60, longest=300)]
    written(iter(rows), folder)
    file = folder / "tunesmith.yaml"
    file.write_text(PIPELINE.format(model=model.as_uri(), device=device.torch.type))
    planned = _tunesmith(folder, "plan", str(file), "--json")
    if planned.returncode:
        raise RuntimeError((planned.stdout + planned.stderr)[-2000:])
    plan = json.loads(planned.stdout)
    if apart := [step["name"] for step in plan["steps"] if step["isolated"]]:
        reasons = [
            f"{said['what']}: {said['reason']}" for said in plan["decisions"] if said["step"] in apart and "environment" in said["what"]
        ]
        raise Skip(f"{', '.join(apart)} would have to have an environment of their own: {'; '.join(reasons)[:300]}")
    placed = {step["device"] for step in plan["steps"] if step["name"] in ("tune", "judged")}
    wanted = device.torch.type
    tell.held("the plan's device", ", ".join(sorted(placed)), holds=placed == {wanted}, otherwise=f"it should be {wanted}")
    done = _tunesmith(folder, "run", str(file), "--json")
    last = (done.stdout + done.stderr).strip().splitlines()[-1:]
    tell.held("the run", f"exit status {done.returncode}", holds=done.returncode == 0, otherwise=" ".join(last)[:600])


def _plain(turns: list[dict]) -> list[dict]:
    return [{"role": turn["role"], "content": "".join(part["text"] for part in turn["content"])} for turn in turns]


def _tunesmith(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tunesmith_cli.main", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
