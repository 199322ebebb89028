"""The kernel's own verbs, as a plugin would declare them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts.provider import Input, Verb
from tunesmith.contracts.settings import setting

_FETCHED = {"scene": "a loader that is asked for the model"}


@dataclass(frozen=True)
class DownloadSettings:
    """The fields of `ModelInfo`, which the planner fills in from what the loader resolved."""

    uri: str = setting(help="as the user wrote it", effect=_FETCHED)
    revision: str = setting("", "what pins it", effect=_FETCHED)
    format: str = setting("", "format of the artifact", effect=_FETCHED)
    files: dict[str, dict[str, Any]] = setting({}, "path -> size and sha256", effect=_FETCHED)
    config: dict[str, Any] = setting({}, "the model's configuration", effect=_FETCHED)
    fetch: dict[str, Any] = setting({}, "what the loader wants to be told again", effect=_FETCHED)
    directory: str = setting("", "where the files lie on this machine already", effect=_FETCHED)


@dataclass(frozen=True)
class QuantizeSettings:
    use: str = setting("", "what the model is for: with `auto` the planner compares quantizers for it, by what each says of itself",
                       choices=("", "batch", "online", "edge", "training"),
                       effect={"scene": "a quantizer that is left to the planner"})  # fmt: skip


_NONE: dict[str, Any] = {"metrics": {}}  # of its own; its main provider's count

VERBS: tuple[Verb, ...] = (
    Verb(
        "download", "bring a model into the store", "tunesmith.verbs.download:run", settings=DownloadSettings, kind="model_loader",
        produces_of="model_loader", facts=_NONE, computes=False,
    ),
    Verb(
        "quantize", "a model in fewer bits", "tunesmith.verbs.quantize:run", settings=QuantizeSettings, kind="quantizer",
        produces_of="quantizer", converts="propose", facts={**_NONE, "compares": ["use"]},
        inputs=(Input("model", "the model to quantize", of="quantizer"), Input("data", "rows to calibrate on", accepts=("dataset/*",),
                                                                               required=False, required_by="calibration")),
    ),
    Verb(
        "export", "an artifact in another format", "tunesmith.verbs.export:run", kind="exporter", produces_of="exporter",
        converts="insert", facts=_NONE, inputs=(Input("model", "what to export", of="exporter"), Input("reports", "evaluations to tell of",
                                                accepts=("report/*",), required=False, read_by="reports", many=True)),
    ),
    Verb(
        "evaluate", "numbers about a model", "tunesmith.verbs.evaluate:run", kind="evaluator", many=True, produces=("report/metrics",),
        facts=_NONE, inputs=(Input("model", "the model or endpoint to evaluate", of="evaluator"), Input("data", "rows to evaluate on",
                                                    accepts=("dataset/*",), accepts_by="data", required=False)),
    ),
)  # fmt: skip
