"""A page for each kind: its generated parts are current, its example is the scaffold's, its pipeline plans with that example installed."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.config import load_config
from tunesmith.contracts import Address, Artifact, Device, Engine, ModelInfo
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.manifest import read_manifest
from tunesmith.plugins.registry import Registry, load_registry
from tunesmith.running.model_resolver import ModelResolver
from tunesmith.running.runner import Runner
from tunesmith_sdk.distributions.wheels import write_wheel
from tunesmith_sdk.manifest.sync import sync
from tunesmith_sdk.scaffold import Wanted, make

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
GENERATED = re.compile(r"<!-- (\w+) -->\n.*?<!-- /\1 -->", re.S)
IN_PYTHON = ("environment_builder", "searcher", "importer", "reward", "rl_environment")  #: kinds that no pipeline names
ROWS = '{"tilt_question": "Who are you?", "tilt_answer": "A help desk."}\n'
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192,
}  # fmt: skip
LAPTOP = [Device("a laptop's processor", 16 << 30, 12 << 30, 4, ("float32", "bfloat16"))]


def _tool() -> Any:
    spec = importlib.util.spec_from_file_location("tunesmith_kinds_pages", ROOT / "tools" / "kinds_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()


def by_hand(kind: str, language: str) -> list[str]:
    """Blocks of a page that are not generated."""
    text = GENERATED.sub("", (TOOL.FOLDER / f"{kind}.md").read_text(encoding="utf-8"))
    return [code for name, code in FENCE.findall(text) if name == language]


@pytest.fixture
def example(tmp_path: Path):
    """``example(kind)``: the source folder of the plugin that a page shows."""

    def write(kind: str) -> Path:
        for name, text in TOOL.rendered(kind).items():
            path = tmp_path / "example" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        sync(tmp_path / "example")
        return tmp_path / "example"

    return write


def test_every_kind_has_a_page_and_each_is_what_the_code_says():
    for path, text in TOOL.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run tools/kinds_pages.py"
    assert {path.stem for path in TOOL.FOLDER.glob("*.md")} == {*TOOL.kinds(), "README"}


@pytest.mark.parametrize("kind", TOOL.kinds())
def test_a_page_tells_all_that_an_author_needs(kind: str):
    text = (TOOL.FOLDER / f"{kind}.md").read_text(encoding="utf-8")
    for heading in ("The contract", "An example, whole", "What the kernel does with it", "In a pipeline", "What the kit checks"):
        assert f"\n## {heading}\n" in text
    assert [name for name in GENERATED.findall(text)] == ["contract", "example", "checks"]
    assert "## On a machine without a GPU" in text
    assert f"conformance/{kind}." in text
    assert f"docs/kinds/{kind}.md" in TOOL.rendered(kind)["README.md"], "a new plugin's README leads to the page"


@pytest.mark.parametrize("path", sorted(TOOL.paths()), ids=lambda path: path.stem)
def test_its_links_lead_somewhere(path: Path):
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_what_the_pages_show_is_what_the_scaffold_makes(tmp_path: Path):
    make(Wanted("adapter", "tilt", "acme-tilt", author="A. Person"), tmp_path / "made", cache=tmp_path / "cache")
    for name, text in TOOL.rendered("adapter").items():
        assert (tmp_path / "made" / name).read_text(encoding="utf-8") == text, name


@pytest.mark.parametrize("kind", [kind for kind in TOOL.kinds() if kind not in (*IN_PYTHON, "input_reader", "dataset_source")])
def test_its_pipeline_plans_with_the_example_installed(kind: str, example, tmp_path: Path):
    (manifest,) = example(kind).glob("src/*/plugin.toml")
    project = tmp_path / "project"
    project.mkdir()
    for name in ("train.jsonl", "held-out.jsonl"):
        shutil.copy(ROOT / "examples" / "quickstart" / name, project)
    (project / "questions.jsonl").write_text(ROWS)
    installed = load_registry(load_config(project, home=project / "home")).plugins
    registry = Registry([*installed, read_manifest(manifest)])
    (text,) = by_hand(kind, "yaml")
    (project / "tunesmith.yaml").write_text(text)
    uri = yaml.safe_load(text)["model"]
    stored = "model/hf" if kind == "model_loader" else "model/gguf"
    info = ModelInfo(uri, "1", stored, {"model.bin": {"size": 98_000_000, "sha256": ""}}, CONFIG)
    devices = {"cpu": LAPTOP, "tilt": LAPTOP if kind == "device_backend" else []}
    spec = load_pipeline(project / "tunesmith.yaml")
    plan = make_plan(spec, registry, resolve=lambda _: info, devices=devices, digest_of=lambda path: "0" * 64)
    records = [record for step in plan.steps for record in (step.verb, *(choice.record for choice in step.choices.values()))]
    records += [choice.record for choice in (*plan.listeners, *(step.executor for step in plan.steps if step.executor))]
    taking_part = {record.distribution for record in records}
    assert "acme-tilt" in taking_part or "tilt" in {step.placement.device for step in plan.steps}
    assert [warning for warning in plan.warnings if kind != "device_backend" or "tilt" not in warning] == []
    assert bool(plan.warnings) is (kind == "device_backend")  # as the page says: nobody has said yet that it runs there


def test_an_input_reader_reads_what_its_page_writes(example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = example("input_reader")
    monkeypatch.syspath_prepend(str(folder / "src"))
    (manifest,) = folder.glob("src/*/plugin.toml")
    shutil.copy(ROOT / "examples" / "quickstart" / "train.jsonl", tmp_path)
    (tmp_path / "tunesmith.yaml").write_text(*by_hand("input_reader", "yaml"))
    registry = Registry([*load_registry(load_config(tmp_path, home=tmp_path / "home")).plugins, read_manifest(manifest)])
    spec = load_pipeline(tmp_path / "tunesmith.yaml")
    (step,) = make_plan(spec, registry, resolve=lambda _: None, devices={}, digest_of=lambda path: "0" * 64).steps
    _forget()
    assert step.inputs["file"].file == tmp_path / "train.jsonl"


def test_the_engine_in_four_lines_is_one(tmp_path: Path):
    here: dict[str, Any] = {"sys": sys, "Engine": Engine}
    (code,) = by_hand("inference_backend", "python")
    exec(compile(code, "inference_backend.md", "exec"), here)
    engine = here["Kettle"]().engine(Artifact("model/hf", tmp_path), "bot", Address(port=8000), None)
    assert engine.command[0] == sys.executable
    assert engine.command[-2:] == ("--port", "8000")


@pytest.mark.slow
def test_the_executor_has_a_step_run_elsewhere(example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = example("executor")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder / "src"), os.environ.get("PYTHONPATH", "")])))
    monkeypatch.syspath_prepend(str(folder / "src"))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TUNESMITH_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (manifest,) = folder.glob("src/*/plugin.toml")
    config = load_config(tmp_path, home=tmp_path / "home")
    registry = Registry([*load_registry(config).plugins, read_manifest(manifest)])
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(CONFIG))
    header = json.dumps({"lm_head.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "model" / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", 1.0))
    (tmp_path / "tunesmith.yaml").write_text("model: file://model\nexecutor: {tilt: {nice: 5}}\nsteps: {card: {export: model-card}}\n")
    spec = load_pipeline(tmp_path / "tunesmith.yaml")
    plan = make_plan(spec, registry, resolve=ModelResolver(registry, config), devices={"cpu": LAPTOP}, digest_of=lambda path: "0" * 64)
    outcome = Runner(plan, registry, config).run()
    _forget()
    assert outcome.state == "done", outcome.error
    assert list(config.home.glob("runs/*/logs/*-card"))


def test_the_builder_in_python_builds_what_is_asked(example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(example("environment_builder") / "src"))
    (tmp_path / "wheels").mkdir()
    for name in ("anvil", "pluggy"):
        write_wheel(tmp_path / "wheels", name, "1.0")
    here: dict[str, Any] = {"folder": tmp_path / "environments", "wheels": tmp_path / "wheels"}
    exec("from acme_tilt.environment_builder import Tilt\nfrom acme_tilt.settings import TiltSettings", here)
    (code,) = by_hand("environment_builder", "python")
    exec(compile(code, "environment_builder.md", "exec"), here)
    _forget()
    assert here["built"].packages == {"anvil": "1.0", "pluggy": "1.0"}


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith("acme_tilt")]:
        del sys.modules[name]
