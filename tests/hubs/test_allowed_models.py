"""`[models] allow` of a configuration: what it does not name is not asked for, and other files than the pinned ones are read by no step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tunesmith_sdk.testing.hub_models import model_files

COMMAND = str(Path(sys.executable).with_name("tunesmith"))


def download(place: Path, *allow: str) -> tuple[int, str, str]:
    """(Exit status, the digest of what came, what was said against it)."""
    (place / "tunesmith.toml").write_text(f"[models]\nallow = {json.dumps([*allow])}\n")
    words = [COMMAND, "download", f"file://{place / 'model'}", "--json"]
    environment = {**os.environ, "TUNESMITH_HOME": str(place / "home"), "TUNESMITH_LANG": "en"}
    ran = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, check=False)
    events = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    digests = [event["artifact"]["digest"] for event in events if event.get("event") == "step_finished" and event.get("artifact")]
    return ran.returncode, "".join(digests), ran.stdout + ran.stderr


def test_a_model_is_used_that_is_named_and_has_the_files_that_were_pinned(tmp_path: Path):
    (tmp_path / "model").mkdir()
    for name, data in model_files(1000).items():
        if not name.endswith(".bin"):
            (tmp_path / "model" / name).write_bytes(data)
    uri = f"file://{tmp_path / 'model'}"
    status, digest, _ = download(tmp_path, f"file://{tmp_path}/*")
    assert (status, digest[:7]) == (0, "sha256:")
    status, _, said = download(tmp_path, "hf://acme/*")
    assert status
    assert "TS-MODEL-030" in said
    assert download(tmp_path, f"{uri}@{digest}")[0] == 0
    (tmp_path / "model" / "tokenizer.json").write_bytes(b"{}")
    status, _, said = download(tmp_path, f"{uri}@{digest}")
    assert status
    assert "with the files that came, sha256:" in said
