"""A plugin as the last release's author published it, installed from its wheel and never touched since, works with today's kernel.

`installed-0.1/` is contrib/model-card 0.1.0 as an installer left it. It is not brought up to date: that is what is tested. At a release
the example plugin of that release is put beside it, and the oldest goes when its contracts are no longer taken.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.contracts.provider import API
from tunesmith.plugins.manifest import read_manifest

RELEASES = sorted(Path(__file__).parent.glob("installed-*"))
PIPELINE = "name: old\nmodel: file://model\nsteps:\n  card: {export: {model-card: {title: As ever, licence: MIT}}, from: model}\n"
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 10}


@pytest.fixture(params=RELEASES, ids=lambda folder: folder.name)
def release(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(CONFIG))
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "model" / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", 1.0))
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE)
    return tmp_path


def tunesmith(release: Path, project: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TUNESMITH_")}
    environment |= {"PYTHONPATH": str(release), "PYTHONDONTWRITEBYTECODE": "1", "TUNESMITH_CACHE": str(project / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith_cli", *words], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_contracts_are_still_taken(release: Path):
    (path,) = release.rglob("plugin.toml")
    records = read_manifest(path).providers
    assert records
    assert all(API[record.kind] - record.api in (0, 1) for record in records)


def test_it_is_active_and_says_what_it_said(release: Path, project: Path):
    (told,) = json.loads(tunesmith(release, project, "plugin", "info", "model-card", "--json"))
    assert told["manifest"].startswith(str(release)), "the frozen one is what is looked at"
    assert told["state"] == "active"
    assert {"title", "licence", "contact"} <= told["providers"][0]["schema"]["properties"].keys()
    assert "heading of the page" in tunesmith(release, project, "export", "model-card", "--help")


@pytest.mark.slow
def test_it_is_planned_and_run(release: Path, project: Path):
    assert "model-card" in tunesmith(release, project, "plan")
    tunesmith(release, project, "run")
    (page,) = (project / ".tunesmith" / "store").rglob("README.md")
    text = page.read_text()
    assert text.startswith("# As ever\n")
    assert "- licence: MIT" in text
    assert "- format: model/hf" in text
