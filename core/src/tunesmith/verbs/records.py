"""The kernel's own verbs, as a plugin would declare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts.provider import Input, Verb
from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class DownloadSettings:
    """The fields of `ModelInfo`, which the planner fills in from what the loader resolved."""

    uri: str = setting(help="as the user wrote it")
    revision: str = setting("", "what pins it")
    format: str = setting("", "format of the artifact")
    files: dict[str, Any] = setting({}, "path -> size and sha256")
    config: dict[str, Any] = setting({}, "the model's configuration")
    fetch: dict[str, Any] = setting({}, "what the loader wants to be told again")
    directory: str = setting("", "where the files lie on this machine already")


@dataclass(frozen=True)
class PrepareSettings:
    format: str = setting("dataset/chat", "the rows that the reader wants")
    columns: dict[str, str] = setting({}, "name that the format wants -> name that the column has in the file")


@dataclass(frozen=True)
class CheckSettings:
    """Of a worker that judges rows before anything is planned with them."""

    row: dict[str, Any] = setting({}, "the format's row schema")
    columns: dict[str, str] = setting({}, "as in `PrepareSettings`")


@dataclass(frozen=True)
class MixSettings:
    weights: list[float] = setting([], "the share that each dataset has in the rows, in the inputs' order; none: all rows of all")


_NONE: dict[str, Any] = {"metrics": {}}  # of its own; its main provider's count

VERBS: tuple[Verb, ...] = (
    Verb(
        "download",
        "bring a model into the store",
        "tunesmith.verbs.download:run",
        settings=DownloadSettings,
        kind="model_loader",
        produces_of="model_loader",
        facts=_NONE,
        computes=False,
    ),
    Verb(
        "prepare",
        "turn a data file into checked rows",
        "tunesmith.verbs.prepare:run",
        settings=PrepareSettings,
        kind="dataset_format",
        inputs=(Input("file", "the data file", accepts=("file",)),),
        produces_of="dataset_format",
        facts=_NONE,
        computes=False,
    ),
    Verb(
        "mix",
        "the rows of several datasets as one; written `data: {a.jsonl: 0.7, b.jsonl: 0.3}`",
        "tunesmith.verbs.mix:run",
        settings=MixSettings,
        inputs=(Input("rows", "the datasets", accepts=("dataset/*",), many=True),),
        produces=("dataset/*",),
        facts=_NONE,
        computes=False,
    ),
    Verb(
        "quantize",
        "a model in fewer bits",
        "tunesmith.verbs.quantize:run",
        kind="quantizer",
        inputs=(
            Input("model", "the model to quantize", of="quantizer"),
            Input("data", "rows to calibrate on", accepts=("dataset/*",), required=False, required_by="calibration"),
        ),
        produces_of="quantizer",
        converts="propose",
        facts=_NONE,
    ),
    Verb(
        "export",
        "an artifact in another format",
        "tunesmith.verbs.export:run",
        kind="exporter",
        inputs=(Input("model", "what to export", of="exporter"),),
        produces_of="exporter",
        converts="insert",
        facts=_NONE,
    ),
    Verb(
        "evaluate",
        "numbers about a model",
        "tunesmith.verbs.evaluate:run",
        kind="evaluator",
        many=True,
        inputs=(
            Input("model", "the model or endpoint to evaluate", of="evaluator"),
            Input("data", "rows to evaluate on", accepts=("dataset/*",), required=False),
        ),
        produces=("report/metrics",),
        facts=_NONE,
    ),
)
