"""A model elsewhere, evaluated in a pipeline without a model: the key reaches its server and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_server import small_server

from tunesmith.config import load_config
from tunesmith.contracts import Artifact
from tunesmith_sdk.conformance.materials.materials import Materials
from tunesmith_sdk.conformance.materials.tiny_trained_model import SENTENCES
from tunesmith_sdk.testing.serving import serving
from tunesmith_transformers.backend import TransformersBackend
from tunesmith_transformers.settings import TransformersSettings

KEY = "sk-remote-secret-77"
PIPELINE = """
name: elsewhere
steps:
  api:   {{serve: {{remote: {{url: "{url}", api_key_env: TUNESMITH_REMOTE_API_KEY}}}}}}
  score: {{evaluate: {{generation: {{metrics: [contains]}}}}, from: api, data: questions.jsonl}}
"""


def tunesmith(directory: Path, *arguments: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TUNESMITH_HOME": str(directory / "home"), "TUNESMITH_REMOTE_API_KEY": key}
    command = [sys.executable, "-m", "tunesmith_cli", *arguments]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=240)


def test_a_model_elsewhere_is_evaluated_and_the_key_is_nowhere(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "The capital of France?"}, {"role": "assistant", "content": "Paris"}]
    (tmp_path / "questions.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    with small_server(key=KEY) as server:
        (tmp_path / "tunesmith.yaml").write_text(PIPELINE.format(url=server.url))
        refused = tunesmith(tmp_path, "plan", key="")
        assert refused.returncode != 0
        assert "TS-SERVE-051" in refused.stderr
        planned = tunesmith(tmp_path, "plan")
        assert planned.returncode == 0, planned.stderr
        assert server.asked == []
        done = tunesmith(tmp_path, "run", "--no-serve", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"contains": 1.0' in done.stdout
        assert {(one["key"], one["model"]) for one in server.asked} == {(f"Bearer {KEY}", "acme-large")}
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in planned.stdout + planned.stderr + done.stdout + done.stderr
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


def test_a_command_serves_it_without_a_model(tmp_path: Path) -> None:
    with small_server(key=KEY) as server:
        words = ("serve", "remote", "--url", server.url, "--api-key-env", "TUNESMITH_REMOTE_API_KEY")
        planned = tunesmith(tmp_path, *words, "--plan")
        assert planned.returncode == 0, planned.stderr
        refused = tunesmith(tmp_path, *words, "--host", "0.0.0.0", "--plan")
        assert "TS-SERVE-055" in refused.stderr
        assert server.asked == []
    assert "needs --model" in tunesmith(tmp_path, "serve", "transformers", "--plan").stderr


BESIDE = """
name: beside
model: file://{model}
steps:
  api:   {{serve: {{remote: {{url: "{url}", model: acme-large}}}}}}
  right: {{evaluate: generation, from: api, data: known.jsonl}}
  score: {{evaluate: perplexity, from: [model, api], data: known.jsonl}}
"""


@pytest.mark.slow
def test_a_real_model_elsewhere_scores_as_its_own_files_do(tmp_path: Path) -> None:
    """The kit's tiny model, served by the default backend, asked by way of `remote`, and read from its files."""
    model = Materials(load_config().cache, tmp_path, "").path("taught")
    rows = [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]} for q, a in SENTENCES]
    (tmp_path / "known.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "elsewhere").mkdir()
    backend, served = TransformersBackend(TransformersSettings()), Artifact("model/hf", model)
    with serving(backend, served, tmp_path / "elsewhere", name="acme-large") as server:
        (tmp_path / "tunesmith.yaml").write_text(BESIDE.format(model=model, url=server.url))
        done = tunesmith(tmp_path, "run", "--no-serve", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"exact_match": 1.0' in done.stdout
    shown = json.loads(tunesmith(tmp_path, "runs", "show", "--json").stdout)
    found = {step["step"]: step["metrics"]["perplexity"] for step in shown["steps"] if "perplexity" in step.get("metrics", {})}
    assert found["score:api:perplexity"] == pytest.approx(found["score:model:perplexity"], rel=1e-3)
