"""What the verbs that make models have in common."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from tunesmith.contracts import Result


def with_config(result: Result | None, output: Path) -> Result:
    """The result with the model's ``config.json``, if there is one, in its meta, where planners and servers look for it."""
    result = result or Result()
    path = output / "config.json"
    if "config" in result.meta or not path.is_file():
        return result
    return dataclasses.replace(result, meta={**result.meta, "config": json.loads(path.read_text(encoding="utf-8"))})
