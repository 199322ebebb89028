"""Rows as tokens, made by whichever plugin shows them: a pipeline of one step."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_cli.api import TOKENS_FILE, TOKENS_FORMAT

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry
    from tunesmith_cli.api import Session


def shown_tokens(
    session: Session, file: Path, columns: Mapping[str, str], model: str, objective: str, settings: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # fmt: skip
    """The rows asked for, and the statistics (see `tunesmith_cli.display.token_page`).

    Args:
        objective: what the rows teach; empty: what fits them.

    Raises:
        TunesmithError: TS-PLAN-005 where no plugin shows rows as tokens; what planning and the step say.
    """
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith.running.runner import Runner
    from tunesmith_cli.api import reporting

    verb = next((verb for verb in session.registry.providers("verb").values() if TOKENS_FORMAT in verb.produces), None)
    if verb is None:
        raise UserError("TS-PLAN-005", "No installed plugin shows rows as tokens", fix="Install one that trains.")
    data = {"path": str(file), "columns": columns} if columns else str(file)
    step: dict[str, Any] = {verb.name: {}, "data": data, "settings": dict(settings)}
    named = objective or _fitting(file, session.registry, columns)
    step |= {"objective": named} if named else {}
    spec = PipelineSpec.from_mapping({"name": "preview", "model": model, "steps": {"preview": step}}, Path.cwd(), name="preview")
    plan = session.plan(spec)
    with reporting(stream=sys.stderr) as reporter:
        outcome = Runner(plan, session.registry, session.config, reporter=reporter, aside=True).run()
    if outcome.error:
        raise outcome.error
    lines = (outcome.artifacts["preview"].path / TOKENS_FILE).read_text(encoding="utf-8").splitlines()
    *rows, total = map(json.loads, lines)
    return rows, total


def _fitting(file: Path, registry: Registry, columns: Mapping[str, str]) -> str:
    """The first objective that reads what these rows are, or else what they can be read as; empty if none does: then planning says why."""
    from tunesmith.contracts.artifacts import fits
    from tunesmith_data.formats.detection import detect

    formats = registry.providers("dataset_format")
    found = detect(file, formats, columns=columns)
    usual = found.record.produces if found.record and not found.problems else ()
    readers = sorted(registry.providers("objective").values(), key=lambda record: not any(fits(format, record.accepts) for format in usual))
    return next((record.name for record in readers if not detect(file, formats, record.accepts, columns=columns).problems), "")
