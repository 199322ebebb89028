"""`serve: auto` for an expected load in a plan and on the command line: what is taken, why not the others, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_cli.main import main
from tunesmith_sdk.tiny_models import tiny_model

PIPELINE = "model: file://model\nsteps:\n  api: {serve: auto, settings: {expect: {concurrency: 8, prompt: 100, answer: 28}}}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    tiny_model(folder / "model")
    return folder


@pytest.fixture
def planned(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    (project / "tunesmith.yaml").write_text(PIPELINE)
    monkeypatch.chdir(project)
    capsys.readouterr()

    def plan(*words: str, status: int = 0):
        assert main([*(words or ("plan",)), "--json"]) == status
        out = capsys.readouterr()
        return json.loads(out.out) if status == 0 else out.out + out.err

    return plan


def test_the_engine_is_set_for_the_load_and_each_other_has_a_reason(planned):
    plan = planned()
    (step,) = [step for step in plan["steps"] if "inference_backend" in step["providers"]]
    engine = step["providers"]["inference_backend"]
    assert engine["name"] == "transformers"
    assert (engine["settings"]["max_model_len"], engine["settings"]["max_num_seqs"], engine["settings"]["kv_cache_gib"]) == (128, 8, 0.25)
    reasons = {one["provider"]: one["verdict"] for one in step["alternatives"]}
    assert {"transformers", "llamacpp", "vllm", "sglang", "lmdeploy", "openvino"} <= set(reasons)
    assert all(reasons.values())
    assert "does not run on `cpu`" in reasons["sglang"]
    told = {decision["what"] for decision in plan["decisions"]}
    assert any(what.startswith("computes in ") for what in told)
    assert sum(what.startswith("inference_backend: not ") for what in told) == len(step["alternatives"]) - 1


def test_without_a_load_nothing_is_compared(planned):
    Path("tunesmith.yaml").write_text("model: file://model\nsteps:\n  api: {serve: auto}\n")
    (step,) = [step for step in planned()["steps"] if "inference_backend" in step["providers"]]
    assert step["alternatives"] == []


def test_the_command_line_says_it_the_same_way(planned):
    words = (
        "serve",
        "auto",
        "--model",
        "file://model",
        "--expect.concurrency",
        "8",
        "--expect.prompt",
        "100",
        "--expect.answer",
        "28",
        "--plan",
    )
    (step,) = [step for step in planned(*words)["steps"] if "inference_backend" in step["providers"]]
    assert step["providers"]["inference_backend"]["settings"]["max_num_seqs"] == 8
    assert step["alternatives"]


def test_a_load_that_the_named_engine_would_refuse_is_refused(planned):
    Path("tunesmith.yaml").write_text(PIPELINE.replace("auto", "{transformers: {max_model_len: 64}}"))
    told = planned(status=2)
    assert "TS-SERVE-032" in told
    assert "`max_model_len` is 64" in told


def test_more_devices_than_there_are_can_not_share_a_model(planned):
    Path("tunesmith.yaml").write_text(PIPELINE.replace("auto", "{vllm: {tensor_parallel_size: 4}}"))
    assert "TS-SERVE-033" in planned("plan", "--on", "2xA100-80", status=2)
