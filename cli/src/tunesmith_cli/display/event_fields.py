"""The lines that ``--json`` prints while something runs: their fields, as an agreement with the programs that read them.

Every line is an object with ``event``, one of the names here, and that event's fields, in JSON; a value that is no number is null. Within a
version fields and events are only ever added, so readers pass over what they don't know. ``run_started`` names the version in ``schema``.
"""

from __future__ import annotations

VERSION = 1

#: event -> field -> what it holds
EVENTS: dict[str, dict[str, str]] = {
    "run_started": {
        "schema": "version of these fields", "run": "id", "pipeline": "its name", "directory": "where plan and logs are",
        "resumed": "whether the run goes on", "steps": "list of name, group, what, inserted", "warnings": "the plan's, a sentence each",
    },
    "environment_started": {"name": "what is built"},
    "environment_ready": {"name": "what was built", "key": "its name on the disk", "size": "bytes", "seconds": "that it took"},
    "step_started": {"step": "name", "attempt": "from 1"},
    "progress": {
        "step": "name, or what is built", "what": "task", "done": "so far", "total": "or null", "unit": "of both, may be empty",
    },
    "log": {"step": "name, or empty", "level": "debug, info, notice, warning or error", "message": "text"},
    "metric": {"step": "name", "name": "of the series", "value": "number or null", "at": "where in the series, an integer"},
    "decision": {"step": "name, or empty", "what": "was decided", "reason": "why"},
    "step_finished": {
        "step": "name", "state": "done, failed, cancelled or skipped", "cached": "whether it was there already", "seconds": "to make it",
        "artifact": "digest, format and path, or null", "size": "bytes or null", "metrics": "name -> number", "attempts": "count",
        "error": "code, what, why, fix, or null",
    },
    "gate": {"group": "of the steps that it judges", "passed": "whether it holds", "text": "a sentence"},
    "service_ready": {"step": "name", "foreground": "whether the run stays until it is stopped", "facts": "url, model and more"},
    "service_stopped": {"step": "name"},
    "run_finished": {
        "run": "id", "state": "done, failed or cancelled", "directory": "as above", "report": "path of a page that a plugin wrote, or null",
        "report_json": "path of the same as data, or null",
        "endpoints": "step -> facts", "steps": "as `step_finished`, a list", "error": "code, what, why, fix, or null",
    },
}  # fmt: skip
