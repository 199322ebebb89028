"""Runs an entry in a process of its own, for no longer than it may take."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from entries import Entry
from told import FAILED, SKIPPED, Row, rows

LEAST = 1.0  # seconds: with less, an entry is not begun
TAIL = 1500  # characters of what a failed entry printed


def run_entry(entry: Entry, device: str, folder: Path, environment_spec: Mapping[str, str], limit: float) -> list[Row]:
    """What it tells; what it had told stays when it fails, or is stopped after `limit` seconds.

    Args:
        folder: for what it writes.
        environment_spec: its environment.
    """
    if limit < LEAST:
        return [Row(entry.summary, SKIPPED, reason="the command's time is over")]
    home, log = folder / entry.name, folder / f"{entry.name}.log"
    home.mkdir()
    found = folder / f"{entry.name}.jsonl"
    told_to = json.dumps({"module": entry.module, "given": entry.given, "summary": entry.summary, "device": device})
    command = [sys.executable, str(Path(__file__).with_name("entry.py")), told_to, str(home), str(found)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment_spec, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status: int | None = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = None
    told = rows(found)
    if status is None:
        told.append(Row(entry.summary, FAILED, reason=f"not done after {limit:.0f} s"))
    elif status:
        told.append(Row(entry.summary, FAILED, reason=f"ended with status {status}: {log.read_text(errors='replace')[-TAIL:].strip()}"))
    return told
