"""A made-up world to plan in: real records in the real registry, of capabilities that don't exist."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import made_up_estimators
import pytest
from made_up_plugins import made, plugins

from tunesmith.contracts import Device, ModelInfo, Provider
from tunesmith.contracts.digests import file_sha256
from tunesmith.errors import TunesmithError
from tunesmith.planning.estimates import estimators
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.plan import Plan
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import Registry

CONFIG = {
    "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000,
    "tie_word_embeddings": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _made_up_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("made_up")
    module.__dict__.update(vars(made_up_estimators))
    monkeypatch.setitem(sys.modules, "made_up", module)


@pytest.fixture
def world() -> Callable[..., Registry]:
    """The registry; without the distributions left out, and with fields of plugins changed."""

    def make(*, without: Sequence[str] = (), extra: Sequence[tuple[str, Provider]] = (), **changes: dict[str, Any]) -> Registry:
        more = [Plugin("acme-extra", "1.0", "made_up", tuple(made(k, p, "acme-extra") for k, p in extra), fingerprint="x")] if extra else []
        return Registry([plugin for plugin in plugins(**changes) if plugin.distribution not in without] + more)

    return make


def device(memory: float = 8e9, free: float = 4e9, name: str = "beads") -> Device:
    return Device(name, int(memory), int(free), 4, ("float32",))


@pytest.fixture(autouse=True)
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up module is in no file, so the planner's helper must be forked, whatever threads other tests have left."""
    monkeypatch.setattr(estimators, "_spawn", estimators._fork)


def digest(path: Path) -> str:
    return "sha256:" + file_sha256(path)


def resolve(uri: str) -> ModelInfo:
    """Every model of the made-up shelf; its name says its format: shelf://packed/anything."""
    kind = uri.partition("://")[2].partition("/")[0]
    format = {"packed": "model/packed", "tilt": "adapter/tilt", "ternary": "model/ternary"}.get(kind, "model/hf")
    return ModelInfo(uri, "r1", format, {"weights": {"size": 10_000_000}}, CONFIG)


@pytest.fixture
def planner(tmp_path: Path, world: Callable[..., Registry]) -> Callable[..., Plan]:
    """Plan a pipeline given as YAML in a directory with `train.jsonl` (tickets) and `pairs.jsonl`."""
    (tmp_path / "train.jsonl").write_text('{"question": "q", "solution": "s"}\n' * 3)
    (tmp_path / "pairs.jsonl").write_text('{"question": "q", "good": "g", "bad": "b"}\n' * 3)

    def plan(yaml: str, registry: Registry | None = None, devices: Any = None, **more: Any) -> Plan:
        path = tmp_path / "tunesmith.yaml"
        path.write_text(yaml)
        options = {"resolve": resolve, "digest_of": digest, "devices": {"abacus": [device()]} if devices is None else devices} | more
        return make_plan(load_pipeline(path), registry or world(), **options)

    return plan


@pytest.fixture
def plan_spec(world: Callable[..., Registry]) -> Callable[..., Plan]:
    """Plan a pipeline that was made in Python."""
    return lambda spec, **more: make_plan(
        spec, world(), **({"resolve": resolve, "digest_of": digest, "devices": {"abacus": [device()]}} | more)
    )


@pytest.fixture
def problems(planner: Callable[..., Plan]) -> Callable[..., list[TunesmithError]]:
    """What is wrong with a pipeline."""

    def find(yaml: str, registry: Registry | None = None, **more: Any) -> list[TunesmithError]:
        with pytest.raises(TunesmithError) as caught:
            planner(yaml, registry, **more)
        return list(getattr(caught.value, "problems", (caught.value,)))

    return find


@pytest.fixture
def make_device() -> Callable[..., Device]:
    return device
