"""Write the table of events in docs/runs.md from the code: `python tools/events_page.py`."""

from __future__ import annotations

import re
from pathlib import Path

from tunesmith_cli.display.event_fields import EVENTS, VERSION

PAGE = Path(__file__).resolve().parent.parent / "docs" / "runs.md"
_MARKED = re.compile(r"<!-- events -->\n.*?<!-- /events -->\n", re.S)


def page() -> str:
    """The page with its table made anew."""
    rows = [
        f"| `{event}` | " + "; ".join(f"`{field}`: {what}" for field, what in fields.items()) + " |" for event, fields in EVENTS.items()
    ]
    table = "\n".join([f"Version {VERSION}.", "", "| event | fields |", "|---|---|", *rows])
    return _MARKED.sub(lambda _: f"<!-- events -->\n{table}\n<!-- /events -->\n", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
