"""The best trial as a pipeline's file."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith_cli.api import write_whole


def write_best(path: Path, spec: PipelineSpec, said: Sequence[str]) -> None:
    """Write a pipeline with `said` as a comment above it. A reader sees the old file or the whole new one."""
    data: dict[str, Any] = {"name": spec.name, "model": spec.model or None, "seed": spec.seed or None}
    data |= {
        "device": spec.device if spec.device != "auto" else None,
        "executor": spec.executor,
        "ignore_estimates": spec.ignore_estimates or None,
    }
    data |= {"steps": _plain(spec.steps), **_plain(spec.more)}
    comment = [f"# {line}" for sentence in said for line in textwrap.wrap(sentence, 118)]
    body = yaml.safe_dump(
        {key: value for key, value in data.items() if value is not None}, sort_keys=False, allow_unicode=True, width=10**6
    )
    write_whole(path, "\n".join([*comment, body]))


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
