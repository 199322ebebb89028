"""The good plugins of the kernel's kinds; those of a kind that a plugin brings lie beside that plugin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tunesmith_sdk.conformance import conform
from tunesmith_sdk.conformance.mutants import GoodPlugin, dead_settings, failed, failed_here, kept
from tunesmith_sdk.manifest.sync import sync

__all__ = ["GOOD", "HEAVY", "conform", "dead_settings", "failed", "failed_here", "kept", "sync", "write"]
_CODE = Path(__file__).parent / "good"

#: kind -> what its record says, as source
RECORDS = {
    "adapter": 'accepts=("model/hf",), produces=("adapter/tilt",), capabilities={"merge": "full", "reference": "full"}, '
    'estimator="PACKAGE.estimate:estimate"',
    "exporter": 'accepts=("model/hf",), produces=("model/hf",), capabilities={"lossless": "full"}',
    "quantizer": 'accepts=("model/hf",), produces=("model/half",), facts={"calibration": True}',
    "evaluator": 'accepts=("endpoint/openai",), facts={"data": ["dataset/chat"], "metrics": {"share": {"better": "higher"}}}',
    "device_backend": 'facts={"torch": "cpu", "self_test": "PACKAGE.provider:self_test"}',
    "executor": "",
    "environment_builder": "",
    "input_reader": 'produces=("file",)',
    "model_loader": 'produces=("model/hf",), facts={"schemes": ["file"]}',
    "trainer_strategy": "",
    "inference_backend": 'accepts=("model/hf",), produces=("endpoint/openai",), capabilities={name: "full" for name in '
    '("api.chat", "api.completions", "api.stream", "api.logprobs", "api.echo")}',
    "verb": 'inputs=(Input("model", "what to stamp", accepts=("model/hf",)),), produces=("document/stamp",)',
}

#: kinds whose good plugins need torch
HEAVY = ("adapter", "quantizer", "trainer_strategy")

GOOD = {
    kind: GoodPlugin(kind, (_CODE / f"{kind}.py").read_text(), record, runtime=("torch",) if kind in HEAVY else ())
    for kind, record in RECORDS.items()
}


def write(
    folder: Path, kind: str, *changes: tuple[str, str], table: str = "", settings: str = "", good: str = "", record: str = ""
) -> Path:
    """The good plugin of a kind with some changes (see `GoodPlugin.write`).

    Args:
        good: file of the good plugin, if not the one called as the kind.
        record: what its record says, if not what those of the kind do.
    """
    plugin = GOOD[kind]
    if good:
        plugin = replace(plugin, code=(_CODE / f"{good}.py").read_text())
    return replace(plugin, record=record or plugin.record).write(folder, *changes, table=table, settings=settings)
