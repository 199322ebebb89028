"""`tunesmith store gc` while a run goes on: it takes nothing that the run needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import tiny_host
from tiny_plans import Place

from tunesmith.running.journal.journal import FILE, Journal
from tunesmith_cli.store_gc.garbage import Collector


def test_what_a_run_makes_and_finds_done_stays_while_it_goes_on(tmp_path: Path) -> None:
    alone = subprocess.run(
        [sys.executable, tiny_host.__file__, str(tmp_path / "alone"), "run"], stdout=subprocess.PIPE, text=True, check=True
    )
    home, rounds = Place.at(tmp_path / "beside").home, 0
    for _ in range(2):  # the second finds everything done
        process = subprocess.Popen([sys.executable, tiny_host.__file__, str(tmp_path / "beside"), "run"], stdout=subprocess.PIPE, text=True)
        while process.poll() is None:
            if (home / FILE).is_file():
                journal = Journal(home)
                collector = Collector(home, journal, since=2.0**40)
                collector.collect(collector.find())
                journal.close()
                rounds += 1
        assert json.loads(process.communicate()[0]) == json.loads(alone.stdout)
    assert rounds > 5
