"""Rows as tokens, made by whichever plugin shows them: a pipeline of one step."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_cli.api import TOKENS_FILE, TOKENS_FORMAT

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.input_reader import Planner
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
    from tunesmith_data.shape.rows import written

    verb = next((verb for verb in session.registry.providers("verb").values() if TOKENS_FORMAT in verb.produces), None)
    if verb is None:
        raise UserError("TS-PLAN-005", "No installed plugin shows rows as tokens", fix="Install one that trains.")
    data = written(str(file), columns)
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


def unfit_rows(session: Session, planner: Planner, path: Path, columns: Mapping[str, str], args: Namespace) -> dict[int, str]:
    """Lines of rows of which something is told by the tokens of `args.model` -> what is.

    Raises:
        TunesmithError: as `shown_tokens`; where no format fits the rows, or some are broken: those are to be left out first.
    """
    from tunesmith_data.audit.audit import COUNTED, Audit
    from tunesmith_data.audit.tokens import unfit
    from tunesmith_data.check.worker import RowCheck
    from tunesmith_data.formats.detection import detect

    found = detect(path, planner.installed("dataset_format"), columns=columns, check=RowCheck(planner))
    if found.problems or found.record is None:
        raise found.problems[0]
    lines = Audit(planner, path, found.record, columns, {}, tokens=True).rows.lines
    settings = {"rows": [1], "scan": COUNTED, "max_length": args.max_length}
    return unfit(shown_tokens(session, path, columns, args.model, args.objective, settings)[1]["counts"], args.max_length, lines)


def words_of(args: Namespace) -> list[str]:
    """Columns and filter as they were typed."""
    return [word for text in args.columns for word in ("--columns", text)] + (["--filter", args.filter] if args.filter else [])


def words_of_tokens(args: Namespace) -> list[str]:
    """Model, objective and length as they were typed; nothing without a model."""
    if not args.model:
        return []
    return ["--model", args.model, *(["--objective", args.objective] if args.objective else []), "--max-length", str(args.max_length)]


def _fitting(file: Path, registry: Registry, columns: Mapping[str, str]) -> str:
    """The first objective that reads what these rows are, or else what they can be read as; empty if none does: then planning says why."""
    from tunesmith.contracts.artifacts import fits
    from tunesmith_data.formats.detection import detect

    formats = registry.providers("dataset_format")
    found = detect(file, formats, columns=columns)
    usual = found.record.produces if found.record and not found.problems else ()
    readers = sorted(registry.providers("objective").values(), key=lambda record: not any(fits(format, record.accepts) for format in usual))
    return next((record.name for record in readers if not detect(file, formats, record.accepts, columns=columns).problems), "")
