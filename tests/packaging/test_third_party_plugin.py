"""A plugin by a stranger, from its wheel, in an environment with the kernel and one loader: no change to the kernel."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

PIPELINE = """
name: describe
model: file://model
steps:
  card: {export: {model-card: {title: A small model, licence: Apache-2.0}}, from: model}
"""


@pytest.mark.slow
def test_a_third_party_plugin_is_in_help_plan_and_run_of_an_untouched_kernel(clean_environment, tiny_model, tmp_path: Path):
    bin = clean_environment("tunesmith-cli", "tunesmith-file", "tunesmith-report", "tunesmith-model-card")
    (tmp_path / "model").symlink_to(tiny_model(), target_is_directory=True)
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE)

    def tunesmith(*arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TUNESMITH_HOME")}
        environment["TUNESMITH_CACHE"] = str(tmp_path / "cache")
        done = subprocess.run([bin / "tunesmith", *arguments], cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "model-card" in tunesmith("export", "--help")
    assert "heading of the page" in tunesmith("export", "model-card", "--help")
    assert "model-card" in tunesmith("plan")
    tunesmith("run")
    (page,) = (tmp_path / ".tunesmith" / "store").rglob("README.md")
    text = page.read_text()
    assert text.startswith("# A small model")
    assert "LlamaForCausalLM" in text
    report = json.loads(next((tmp_path / ".tunesmith" / "runs").rglob("report.json")).read_text())
    assert "model-card" in json.dumps(report)
