"""A step that is killed with `kill -9` while it asks: answers that came are asked for no more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from chat_server import chat_server

from tunesmith_data.api import message
from tunesmith_sdk.testing.datasets import dataset

EVALUATE = """
import json, sys
from pathlib import Path
from tunesmith.contracts import Artifact
from tunesmith_generation.evaluator import Generation
from tunesmith_generation.settings import GenerationSettings
from tunesmith_sdk.local_step import LocalStep

folder = Path(sys.argv[1])
step = LocalStep.make(folder / "step")
subject = Artifact("endpoint/openai", None, meta={"url": sys.argv[2], "model": "m"})
found = Generation(GenerationSettings(concurrency=2)).evaluate(subject, Artifact("dataset/chat", folder / "rows"), step)
print(json.dumps(dict(found.metrics)))
"""


def test_what_came_before_the_kill_is_not_asked_again(tmp_path: Path) -> None:
    questions = {f"q{n}": f"answer {n}" for n in range(40)}
    dataset(tmp_path / "rows", [{"messages": [message("user", q), message("assistant", a)]} for q, a in questions.items()])
    with chat_server(questions) as server:
        server.before = lambda number: time.sleep(0.05)
        command = [sys.executable, "-c", EVALUATE, str(tmp_path), server.endpoint.meta["url"]]
        killed = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        kept = tmp_path / "step" / "work" / "answers.jsonl"
        while not kept.is_file() or len(kept.read_text().splitlines()) < 12:
            assert killed.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        there, before = len(kept.read_text().splitlines()), len(server.seen)
        server.before = lambda number: None
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert 12 <= there < 40
        assert len(server.seen) - before <= 40 - there + 2  # two were under way at the kill
    assert '"exact_match": 1.0' in done.stdout
    assert '"scored": 40.0' in done.stdout
