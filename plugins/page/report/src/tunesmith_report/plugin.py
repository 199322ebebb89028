"""The hook: the report is written beside the run's logs when the run has ended, and while it stays for its services."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tunesmith import RunView
from tunesmith.hookspecs import hookimpl

PAGE, DATA = "report.html", "report.json"


@hookimpl
def run_finished(view: RunView) -> None:
    """Write ``report.html`` and ``report.json`` into the run's directory."""
    from tunesmith_report.page import page_of
    from tunesmith_report.page_language import in_the_readers_language
    from tunesmith_report.report_data import report_data

    data = report_data(view)
    _replace(view.directory / DATA, json.dumps(data, indent=1, ensure_ascii=False))
    _replace(view.directory / PAGE, in_the_readers_language(page_of(data)))


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, never half, whenever this is killed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
