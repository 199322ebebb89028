"""The process between a worker and an engine ends all that the engine started, however little of a processor it gets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a process that adopts orphans is Linux's")

#: as on a machine where the first look takes longer than what was killed may take to be gone
SLOW = """
import os, sys
from tunesmith_serve import orphan_reaper
orphan_reaper.KILLING = 0.0
os._exit(orphan_reaper.OrphanReaper(int(sys.argv[1]), 0.0).run(sys.argv[2:]))
"""
#: each generation leaves the session and starts the next one until it is killed, or there were enough of them
BREEDS = """
import subprocess, sys, time
with open(sys.argv[1], "a") as file:
    file.write("born\\n")
if len(open(sys.argv[1]).readlines()) < 200:
    subprocess.Popen([sys.executable, "-S", "-c", sys.argv[2], *sys.argv[1:]], start_new_session=True)
time.sleep(20)
"""


def alive(word: str) -> list[str]:
    """Processes with a word in their command."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_what_is_started_while_the_others_are_killed_is_killed_too(tmp_path: Path):
    births = tmp_path / "births"
    command = [sys.executable, "-c", SLOW, str(os.getpid()), sys.executable, "-S", "-c", BREEDS, str(births), BREEDS]
    with subprocess.Popen(command) as reaper:
        while not births.exists() or len(births.read_text().splitlines()) < 3:
            time.sleep(0.01)
        reaper.send_signal(signal.SIGTERM)
        reaper.wait(60)
    assert alive(str(births)) == []
