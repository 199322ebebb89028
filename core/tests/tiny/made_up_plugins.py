"""Plugins of capabilities that don't exist, with real records: what the planner's tests plan with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts import API, Input, Kind, Need, Provider, Slot, Verb, setting
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.verbs.records import VERBS
from tunesmith_sdk.manifest.records import record_of

TARGET = "made_up:Nothing"
CARDS = {"Loom 9": {"mib": 1024, "dtypes": ["float32", "bfloat16"]}, "Loom-1 Mini": {"mib": 16, "dtypes": ["float32"]}}


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
    service=True, inputs=(Input("model", "the model to serve", of="inference_backend", unless="elsewhere"),), facts={"metrics": {}},
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
                inputs=(
                    Input("model", "the model to teach", of="adapter"),
                    Input("data", "the rows", of="objective"),
                    Input("guide", "a model to follow", accepts=("model/hf",), required=False, read_by="guided"),
                ),
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
                inputs=(Input("model", "the adapter", accepts=("adapter/*+*",)),),
                produces=("model/hf+*",),
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
