"""A made-up world to plan with data files in: real records in the real registry, of capabilities that don't exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import API, Device, Input, Kind, ModelInfo, Provider, Slot, Verb
from tunesmith.contracts.digests import file_sha256
from tunesmith.errors import TunesmithError
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.plan import Plan
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.plugins.registry import Registry
from tunesmith.verbs.records import VERBS
from tunesmith_data import plugin
from tunesmith_sdk.manifest.records import record_of

TARGET = "made_up:Nothing"


def text(*required: str) -> dict[str, Any]:
    """Schema of a row with these columns of text."""
    return {"row": {"type": "object", "required": list(required), "properties": {n: {"type": "string", "minLength": 1} for n in required}}}


TEACH = Verb(
    "teach", "train", TARGET, kind="objective", slots=(Slot("adapter", "adapter", "what changes"),), produces_of="adapter",
    inputs=(Input("model", "the model to teach", of="adapter"), Input("data", "the rows", of="objective")),
)  # fmt: skip
PROVIDED: tuple[tuple[str, Provider], ...] = (
    ("input_reader", plugin.input_reader()),
    *(("verb", verb) for verb in (*VERBS, *plugin.verb(), TEACH)),
    ("model_loader", Provider("shelf", "a shelf", TARGET, facts={"schemes": ["shelf"]}, produces=("model/hf",))),
    ("objective", Provider("echo", "repeat", TARGET, accepts=("dataset/chat",))),
    ("adapter", Provider("tilt", "tilts", TARGET, accepts=("model/hf",), produces=("adapter/tilt",))),
    (
        "evaluator",
        Provider(
            "surprise", "how surprised", TARGET, accepts=("adapter/*",), facts={"data": ["dataset/chat"], "metrics": {"surprise": {}}}
        ),
    ),
    ("device_backend", Provider("abacus", "beads", TARGET, facts={"torch": "cpu"})),
    ("dataset_format", Provider("tickets", "help desk", TARGET, produces=("dataset/chat",), facts=text("question", "solution"))),
    ("dataset_format", Provider("notes", "one text", TARGET, produces=("dataset/chat",), facts=text("question"))),
    ("dataset_format", Provider("pairs", "two answers", TARGET, produces=("dataset/preference",), facts=text("question", "good", "bad"))),
)
CONFIG = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000}


def resolve(uri: str) -> ModelInfo:
    return ModelInfo(uri, "r1", "model/hf", {"weights": {"size": 10_000_000}}, CONFIG)


def made(kind: str, provider: Provider) -> ProviderRecord:
    """The record of a provider; where its kind is not the kernel's, of one that a plugin brings."""
    return record_of(kind, provider, "acme-all", "1.0", brought=None if kind in API else Kind(kind, "a made-up kind", "made_up:Contract"))


@pytest.fixture
def world() -> Callable[..., Registry]:
    """The registry, with further providers."""

    def make(*, extra: Sequence[tuple[str, Provider]] = ()) -> Registry:
        records = tuple(made(kind, provider) for kind, provider in (*PROVIDED, *extra))
        return Registry([Plugin("acme-all", "1.0", "made_up", records, fingerprint="f", path=Path("/shelf/made_up/plugin.toml"))])

    return make


@pytest.fixture
def formats(world: Callable[..., Registry]) -> Callable[..., Any]:
    """The dataset formats of a world."""
    return lambda **more: world(**more).providers("dataset_format")


@pytest.fixture
def answered_by() -> Callable[..., Any]:
    """What asks a check of rows in the place of a worker."""

    def answering(check: Callable[..., Any]) -> Callable[..., Any]:
        def ask(step: Any, files: Any) -> Any:
            chosen = step.choices["dataset_format"]
            return check(files["file"], chosen.record, step.settings["columns"], chosen.settings).to_json()

        return ask

    return answering


@pytest.fixture
def planner(tmp_path: Path, world: Callable[..., Registry]) -> Callable[..., Plan]:
    """Plan a pipeline given as YAML in a directory with `train.jsonl` (tickets) and `pairs.jsonl`."""
    (tmp_path / "train.jsonl").write_text('{"question": "q", "solution": "s"}\n' * 3)
    (tmp_path / "pairs.jsonl").write_text('{"question": "q", "good": "g", "bad": "b"}\n' * 3)

    def plan(yaml: str, registry: Registry | None = None, **more: Any) -> Plan:
        path = tmp_path / "tunesmith.yaml"
        path.write_text(yaml)
        devices = {"abacus": [Device("beads", 8 * 10**9, 4 * 10**9, 4, ("float32",))]}
        options = {"resolve": resolve, "digest_of": lambda file: "sha256:" + file_sha256(file), "devices": devices} | more
        return make_plan(load_pipeline(path), registry or world(), **options)

    return plan


@pytest.fixture
def problems(planner: Callable[..., Plan]) -> Callable[..., list[TunesmithError]]:
    """What is wrong with a pipeline."""

    def find(yaml: str, registry: Registry | None = None, **more: Any) -> list[TunesmithError]:
        with pytest.raises(TunesmithError) as caught:
            planner(yaml, registry, **more)
        return list(getattr(caught.value, "problems", (caught.value,)))

    return find
