"""What this plugin brings: the kind `tracker`."""

from __future__ import annotations

from tunesmith.contracts import Kind
from tunesmith.hookspecs import hookimpl


@hookimpl
def kind() -> Kind:
    return Kind(
        name="tracker",
        summary="is told what the steps of a run measure, while it runs",
        contract="tunesmith_tracking.contract:Tracker",
        checks="tunesmith_tracking.conformance",
        scaffold="scaffold/tracker",
        example='Provider("wall", "writes on the wall", "acme_wall.tracker:Wall")',
        listens="track",
    )
