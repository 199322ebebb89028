"""Settings for usual situations, `presets.json`: what a user writes goes before a preset, and a preset before what is built in.

Standard library and contracts only: the plan reads it, too.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith_deepspeed.settings import ZeroSettings

FILE = Path(__file__).with_name("presets.json")
#: What a setting is that neither the user nor a preset says. `overlap_comm` is not among them: DeepSpeed has a default for each stage.
BUILT_IN: Mapping[str, Any] = {
    "num_processes": 2, "stage": 2, "offload_optimizer": "none", "offload_param": "none", "reduce_bucket_size": 0,
    "allgather_bucket_size": 500_000_000, "zero_hpz_partition_size": 1, "stage3_prefetch_bucket_size": 50_000_000,
    "stage3_param_persistence_threshold": 100_000, "stage3_max_live_parameters": 1_000_000_000, "sub_group_size": 1_000_000_000,
}  # fmt: skip
_OF_STAGE_3 = ("offload_param", "zero_hpz_partition_size", "sub_group_size")
YOURS, BUILT = "as you say", "built in"


@dataclasses.dataclass(frozen=True)
class Preset:
    """Args:
    summary: the situation that it is for.
    values: of the settings; `reasons` of each.
    reason: for the whole of it; `source`: where it comes from.
    """

    name: str
    summary: str
    values: Mapping[str, Any]
    reasons: Mapping[str, str]
    reason: str
    source: str


@cache
def presets() -> Mapping[str, Preset]:
    """By name, in the order of the file."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Preset(
            name, one["summary"], {key: each["value"] for key, each in one["settings"].items()},
            {key: each["reason"] for key, each in one["settings"].items()}, one["reason"], one["source"],
        )
        for name, one in found.items()
    }  # fmt: skip


def usual_ranks() -> dict[str, int]:
    """How many processes there are where the user does not say, by preset; "" is none."""
    return {"": BUILT_IN["num_processes"]} | {name: one.values["num_processes"] for name, one in presets().items()}


def effective(settings: ZeroSettings) -> ZeroSettings:
    """The settings with everything filled in.

    What a preset says of stage 3 alone is not taken where the user has chosen another stage.
    """
    return dataclasses.replace(settings, **{**BUILT_IN, **_taken(settings), **_given(settings)})


def decisions(settings: ZeroSettings) -> Iterator[tuple[str, str]]:
    """The preset and its reason; then which value came from where. Nothing without a preset."""
    if settings.preset is None:
        return
    preset, taken, given = presets()[settings.preset], _taken(settings), _given(settings)
    yield f"DeepSpeed's preset `{preset.name}`, for {preset.summary}", f"{preset.reason} ({preset.source})"
    for name, value in taken.items():
        if name not in given:
            yield f"{name}: {_shown(value)}", f"the preset's: {preset.reasons[name]}"
    for name, value in preset.values.items():
        if name in given:
            yield f"{name}: {_shown(given[name])}", f"{YOURS}; the preset's is {_shown(value)}"
        elif name not in taken:
            yield f"{name} is left out", f"the preset's {_shown(value)} is for stage 3, and the stage is {effective(settings).stage}"
    others = [name for name in BUILT_IN if name not in preset.values]
    if own := [f"{name}: {_shown(given[name])}" for name in others if name in given]:
        yield ", ".join(own), f"{YOURS}; the preset says nothing of it"
    yield ", ".join(name for name in others if name not in given), f"{BUILT}; neither you nor the preset says anything of them"


def of_preset(settings: ZeroSettings) -> str:
    """The values that are the preset's, as a sentence; empty where there are none."""
    given = _given(settings)
    values = ", ".join(f"`{name}: {_shown(value)}`" for name, value in _taken(settings).items() if name not in given)
    return f"Of the preset `{settings.preset}` are {values}." if values else ""


def _given(settings: ZeroSettings) -> dict[str, Any]:
    """What the user says of the settings that a preset may say."""
    named = (*BUILT_IN, "overlap_comm")
    return {name: value for name in named if (value := getattr(settings, name)) is not None}


def _taken(settings: ZeroSettings) -> dict[str, Any]:
    """What the preset says."""
    values = dict(presets()[settings.preset].values) if settings.preset is not None else {}
    if int(_given(settings).get("stage", values.get("stage", BUILT_IN["stage"]))) < 3:
        values = {name: value for name, value in values.items() if name not in _OF_STAGE_3 and not name.startswith("stage3_")}
    return values


def _shown(value: Any) -> str:
    return json.dumps(value).strip('"')
