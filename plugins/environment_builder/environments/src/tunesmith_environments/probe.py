"""A plugin's probe, run in a new environment: `python -m ... ANSWER MODULE:FUNCTION` writes what it returned as JSON into a file.

Standard library only, and any Python that the worker runs under.
"""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    answer, target = sys.argv[1:]
    module, _, function = target.partition(":")
    facts = getattr(importlib.import_module(module), function)() or {}
    with open(answer, "w", encoding="utf-8") as file:
        json.dump({str(name): str(fact) for name, fact in facts.items()}, file)


if __name__ == "__main__":
    main()
