"""Rows of each kind, machines by name, and recommendations for them with the plugins that are here; nothing is fetched or measured."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith import Pipeline
from tunesmith.contracts import Device, ModelInfo
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.plan import Plan
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.registry import Registry
from tunesmith_cli.api import named_cards
from tunesmith_recommend.catalog.installed_models import installed_models
from tunesmith_recommend.choice.choose import recommend
from tunesmith_recommend.choice.recommendation import Recommendation, Wanted

#: a row of each kind, what it becomes, and the task
ROWS = {
    "chat": ('{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}', "dataset/chat", "chat"),
    "pairs": ('{"prompt": "Hi", "chosen": "Hello", "rejected": "No"}', "dataset/preference", "preference"),
    "good-or-bad": ('{"prompt": "Hi", "completion": "Hello", "label": true}', "dataset/unpaired", "feedback"),
    "labels": ('{"text": "It broke.", "label": "bad"}\n{"text": "It works.", "label": "good"}', "dataset/labelled", "classification"),
    "texts": ('{"text": "Faust is a tragic play in two parts."}', "dataset/text", "completion"),
    "anchors": ('{"anchor": "Who wrote Faust?", "positive": "Faust is a play by Goethe."}', "dataset/embedding", "embedding"),
    "images": (
        '{"messages": [{"role": "user", "content": [{"type": "image", "path": "a.png"}, {"type": "text", "text": "What is it?"}]}, '
        '{"role": "assistant", "content": "A cat."}]}',
        "dataset/chat",
        "vqa",
    ),
}
#: of a processor of eight cores, as `tunesmith probe` measures one
FIGURES = {"flops": {"float32": 400e9, "bfloat16": 1.6e12}, "bandwidth": 40e9, "threads": 8}


def facts(kind: str, rows: int = 1000, tokens: int = 200, language: str = "en", field: str = "", share: float = 0.8) -> dict[str, Any]:
    """What `tunesmith data facts` would say of so many rows of `tokens` each."""
    media = {"image": rows} if kind == "images" else {}
    return {
        "format": kind, "produces": [ROWS[kind][1]], "task": ROWS[kind][2], "rows": rows, "broken": 0, "duplicates": 0,
        "characters": rows * tokens * 4, "tokens": rows * tokens, "longest": {"p95": tokens * 2, "most": tokens * 4},
        "languages": {language: 1.0}, "domains": {field: share} if field else {}, "media": media, "modalities": ["text", *media],
        "labels": {"bad": rows // 2, "good": rows - rows // 2} if kind == "labels" else {}, "problem": None,
    }  # fmt: skip


class World:
    """The plugins that are here, with rows in a folder."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry, self.estimators = folder, registry, Estimators()
        self.models = installed_models(registry)[0]
        for kind, (row, _, _) in ROWS.items():
            (folder / f"{kind}.jsonl").write_text(f"{row}\n" * 2, encoding="utf-8")
        (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    def machine(self, name: str) -> Mapping[str, Sequence[Device]]:
        """``A10``, ``2xA100-80``, or ``16 GB``: a processor with so much memory."""
        if name.endswith(" GB"):
            size = round(float(name.removesuffix(" GB")) * 2**30)
            return {"cpu": (Device("a processor", size, size * 3 // 4, 8, ("float32", "bfloat16"), FIGURES),)}
        named = named_cards(Namespace(on=name, cards=None), self.registry)
        assert named
        return dict([named])

    def plan(self, spec: PipelineSpec, info: ModelInfo, machine: str) -> Plan:
        return make_plan(
            spec, self.registry, resolve=lambda uri: info, devices=self.machine(machine), estimators=self.estimators,
            digest_of=lambda path: hashlib.sha256(path.read_bytes()).hexdigest(),
        )  # fmt: skip

    def recommend(
        self,
        machine: str,
        kind: str,
        *,
        goal: str = "quality",
        budget: float = 0.0,
        models: Any = None,
        known: Any = None,
        **more: Any,
    ) -> tuple[Recommendation, Wanted]:
        """For so many rows of a kind on a machine; `known`, earlier runs."""
        devices, wanted = self.machine(machine), Wanted(f"{kind}.jsonl", facts(kind, **more), goal, budget=budget)

        def plans(pipeline: Mapping[str, Any], info: ModelInfo) -> Plan:
            return self.plan(Pipeline(**pipeline, base=self.folder).spec, info, machine)

        asked = next(iter(devices))
        found = recommend(
            self.registry, wanted, models or self.models, devices, plans, asked=asked, estimators=self.estimators, known=known
        )
        return found, wanted

    def info(self, uri: str) -> ModelInfo:
        return next(model.info for model in self.models if model.uri == uri)
