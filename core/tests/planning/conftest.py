"""A made-up world to plan in: real records in the real registry, of capabilities that don't exist."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import API, Device, Estimate, Input, Kind, ModelInfo, Need, Provider, Slot, Verb, setting
from tunesmith.contracts.artifacts import fits
from tunesmith.contracts.digests import file_sha256
from tunesmith.contracts.kinds.input_reader import InputFile, InputRequest, InputStep, PlannedInput, Planner
from tunesmith.contracts.untrusted_files import path_of, unreadable
from tunesmith.errors import TunesmithError, UserError
from tunesmith.planning.estimates import estimators as advice
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.plan import Plan
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.plugins.registry import Registry
from tunesmith.verbs.records import VERBS
from tunesmith_models import ModelShape
from tunesmith_sdk.manifest.records import record_of

TARGET = "made_up:Nothing"
CARDS = {"Loom 9": {"mib": 1024, "dtypes": ["float32", "bfloat16"]}, "Loom-1 Mini": {"mib": 16, "dtypes": ["float32"]}}
CONFIG = {
    "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000,
    "tie_word_embeddings": True,
}  # fmt: skip


@dataclass(frozen=True)
class TeachSettings:
    epochs: int = setting(1, "passes over the rows", ge=1)
    rate: float = setting(1e-3, "how fast", gt=0, aliases=("learning_rate",))


@dataclass(frozen=True)
class TiltSettings:
    angle: int = setting(8, "how far", ge=1)
    side: str = setting("left", "where to", choices=("left", "right"))


@dataclass(frozen=True)
class RelaySettings:
    processes: int = setting(2, "runners", ge=1)


@dataclass(frozen=True)
class ExamSettings:
    subject: str = setting(help="what is asked")


def text(*required: str) -> dict[str, Any]:
    """Schema of a row with these columns of text."""
    return {"row": {"type": "object", "required": list(required), "properties": {n: {"type": "string", "minLength": 1} for n in required}}}


SERVE = Verb(
    "serve", "a model behind an API", "made_up:serve", kind="inference_backend", produces=("endpoint/openai",), converts="insert",
    service=True, inputs=(Input("model", "the model to serve", of="inference_backend"),), facts={"metrics": {}},
)  # fmt: skip
PROVIDERS: dict[str, tuple[tuple[str, Provider], ...]] = {
    "acme-shelf": (("model_loader", Provider("shelf", "a shelf", TARGET, facts={"schemes": ["shelf", "file"]}, produces=("model/hf",))),),
    "acme-echo": (("objective", Provider("echo", "repeat", TARGET, accepts=("dataset/chat",), priority=5)),),
    "acme-contrast": (
        (
            "objective",
            Provider(
                "contrast",
                "prefer",
                TARGET,
                accepts=("dataset/preference",),
                needs=(Need("adapter", "reference", "it compares with the model before training"),),
            ),
        ),
    ),
    "acme-tilt": (
        (
            "adapter",
            Provider(
                "tilt",
                "tilts",
                TARGET,
                TiltSettings,
                accepts=("model/hf",),
                produces=("adapter/tilt",),
                priority=1,
                capabilities={"merge": "full", "reference": "full", "base.binary": "none", "base.packed": "none"},
                limits={"base.binary": "a tilt needs numbers between the two", "base.packed": "a tilt needs room"},
                estimator="made_up:trainable",
            ),
        ),
    ),
    "acme-whole": (
        (
            "adapter",
            Provider(
                "whole", "everything", TARGET, accepts=("model/hf",), produces=("model/hf",), priority=9, capabilities={"reference": "none"}
            ),
        ),
    ),
    "acme-fog": (
        ("adapter", Provider("fog", "says little", TARGET, accepts=("model/hf",), produces=("adapter/fog",), priority=-1)),
        (
            "adapter",
            Provider(
                "glue",
                "can't be undone",
                TARGET,
                accepts=("model/hf",),
                produces=("adapter/glue",),
                priority=-2,
                capabilities={"merge": "none", "reference": "partial"},
                limits={"reference": "glue leaves a trace"},
            ),
        ),
    ),
    "acme-solo": (("trainer_strategy", Provider("solo", "alone", TARGET, priority=3)),),
    "acme-relay": (
        (
            "trainer_strategy",
            Provider(
                "relay",
                "in turns",
                TARGET,
                RelaySettings,
                needs=(Need("device_backend", "devices.many", "each runs on its own"),),
                facts={"ranks": "processes"},
            ),
        ),
    ),
    "acme-ternary": (
        (
            "quantizer",
            Provider(
                "ternary",
                "three values",
                TARGET,
                accepts=("model/hf",),
                produces=("model/ternary",),
                capabilities={"device.loom": "full", "device.abacus": "none"},
            ),
        ),
        ("quantizer", Provider("binary", "two values", TARGET, accepts=("model/hf",), produces=("model/binary",))),
    ),
    "acme-unpack": (
        (
            "exporter",
            Provider(
                "unpack", "plain again", TARGET, accepts=("model/packed",), produces=("model/hf",), capabilities={"lossless": "partial"}
            ),
        ),
        ("exporter", Provider("card", "a page", TARGET, accepts=("model/*",), produces=("document/card",))),
    ),
    "acme-surprise": (
        (
            "evaluator",
            Provider(
                "surprise",
                "how surprised",
                TARGET,
                accepts=("model/hf", "model/ternary"),
                facts={"metrics": {"surprise": {"better": "lower"}}},
            ),
        ),
        (
            "evaluator",
            Provider(
                "politeness", "how polite", TARGET, accepts=("endpoint/openai",), facts={"metrics": {"politeness": {"better": "higher"}}}
            ),
        ),
        ("evaluator", Provider("exam", "questions", TARGET, ExamSettings, accepts=("model/hf",))),
    ),
    "acme-kettle": (
        (
            "inference_backend",
            Provider(
                "kettle", "engine", TARGET, accepts=("model/hf",), produces=("endpoint/openai",), priority=2, estimator="made_up:kettle"
            ),
        ),
        ("inference_backend", Provider("pot", "another", TARGET, accepts=("model/ternary",), produces=("endpoint/openai",))),
    ),
    "acme-devices": (
        ("device_backend", Provider("abacus", "beads", "made_up:Abacus", facts={"torch": "cpu"})),
        ("device_backend", Provider("loom", "threads", "made_up:Loom", facts={"torch": "loom", "cards": CARDS}, priority=5)),
    ),
    "acme-shed": (("environment_builder", Provider("shed", "environments", TARGET)),),
    "acme-rows": (
        ("input_reader", Provider("files", "files of rows", "made_up:Files", produces=("dataset/*",))),
        (
            "verb",
            Verb(
                "gather",
                "rows of a file",
                TARGET,
                kind="dataset_format",
                inputs=(Input("file", "the file", accepts=("file",)),),
                produces_of="dataset_format",
                computes=False,
            ),
        ),
        ("dataset_format", Provider("tickets", "help desk", TARGET, produces=("dataset/chat",), facts=text("question", "solution"))),
        ("dataset_format", Provider("notes", "one text", TARGET, produces=("dataset/chat",), facts=text("question"))),
        (
            "dataset_format",
            Provider("pairs", "two answers", TARGET, produces=("dataset/preference",), facts=text("question", "good", "bad")),
        ),
    ),
    "acme-engine": (
        (
            "verb",
            Verb(
                "teach",
                "train",
                TARGET,
                TeachSettings,
                kind="objective",
                slots=(Slot("adapter", "adapter", "what changes"), Slot("strategy", "trainer_strategy", "processes")),
                inputs=(Input("model", "the model to teach", of="adapter"), Input("data", "the rows", of="objective")),
                produces_of="adapter",
                promote=True,
                estimator="made_up:teach",
            ),
        ),
        (
            "verb",
            Verb(
                "fold",
                "fold an adapter in",
                TARGET,
                inputs=(Input("model", "the adapter", accepts=("adapter/*",)),),
                produces=("model/hf",),
                slots=(Slot("adapter", "adapter", "which kind", default="producer"),),
                converts="insert",
                needs=(Need("producer", "merge", "it writes into the base's weights"),),
            ),
        ),
        (
            "verb",
            Verb(
                "stack",
                "several models as one",
                TARGET,
                inputs=(Input("model", "the base", accepts=("model/hf",)), Input("layers", "the models", accepts=("model/hf",), many=True)),
                produces=("model/hf",),
            ),
        ),
    ),
}


def trainable(request: Any) -> dict[str, float]:
    return {"trainable": 1000.0 * request.settings["angle"]}


def teach(request: Any) -> Estimate:
    parameters = _parameters(request)
    return Estimate(
        {"weights": 4.0 * parameters, "optimizer": 8.0 * request.parts.get("adapter", {}).get("trainable", parameters)}, disk=5000.0
    )


def kettle(request: Any) -> Estimate:
    return Estimate({"weights": 2.0 * _parameters(request)})


def _parameters(request: Any) -> int:
    shape = ModelShape.of(request)
    return shape.parameters if shape else 0


class Files:
    """A file of rows becomes one step in the first format that has its columns."""

    def read(self, request: InputRequest, planner: Planner) -> PlannedInput | None:
        if not isinstance(request.written, str):
            return None
        path = path_of(request.written, planner.base)
        try:
            file, lines = InputFile(path, planner.digest_of(path)), path.read_text().splitlines()
        except (OSError, ValueError) as error:
            raise unreadable(path, request.written, error) from error
        columns = set(json.loads(lines[0]))
        having = [format for format in planner.installed("dataset_format").values() if set(format.facts["row"]["required"]) <= columns]
        able = [(each, format) for each in having for format in each.produces if fits(format, request.formats)]
        if not able:
            raise UserError("TS-DATA-005", f"{request.written} has rows that {request.reader} can't use", fix="Give others.")
        record, format = max(able, key=lambda found: len(found[0].facts["row"]["required"]))
        reason = f"{request.reader} reads {format}"
        size = path.stat().st_size
        step = InputStep("gather", f"data:{path.stem}", {"file": file}, format, {}, {"dataset_format": record.name}, 0, 1.5 * size, reason)
        facts = {"rows": len(lines), "characters": 2 * len(lines), "media": {}, "first": ()}
        return PlannedInput((step,), size=size, facts=facts)


@pytest.fixture(autouse=True)
def _made_up_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("made_up")
    module.__dict__.update(trainable=trainable, teach=teach, kettle=kettle, Files=Files)
    monkeypatch.setitem(sys.modules, "made_up", module)


def made(kind: str, provider: Provider, distribution: str, version: str = "1.0") -> ProviderRecord:
    """The record of a provider; where its kind is not the kernel's, of a kind that a plugin brings."""
    brought = None if kind in API else Kind(kind, "a made-up kind", "made_up:Contract")
    return record_of(kind, provider, distribution, version, brought=brought)


def plugins(**changes: dict[str, Any]) -> list[Plugin]:
    """The made-up plugins and the kernel; `changes` are fields of a plugin, dashes as underscores."""
    records = tuple(made("verb", verb, "tunesmith-core", "0.1.0") for verb in (*VERBS, SERVE))
    kernel = Plugin("tunesmith-core", "0.1.0", "tunesmith.verbs.plugin", records, fingerprint="k")
    found = [kernel]
    for name, provided in PROVIDERS.items():
        records = tuple(made(kind, provider, name) for kind, provider in provided)
        fields = {
            "providers": records,
            "fingerprint": f"of {name}",
            "path": Path("/shelf/made_up/plugin.toml"),
            **changes.get(name.replace("-", "_"), {}),
        }
        found.append(Plugin(name, "1.0", "made_up", **fields))
    return found


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
    monkeypatch.setattr(advice, "_spawn", advice._fork)


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
