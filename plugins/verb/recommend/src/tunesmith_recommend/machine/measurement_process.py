"""Measures one device: ``python -m tunesmith_recommend.machine.measurement_process TARGET DTYPE...``; prints its figures as JSON.

A process of its own: what a device is measured with is heavy, and takes memory and threads that the command should not keep.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print
    module, _, name = sys.argv[1].partition(":")
    try:
        found = {"figures": dict(getattr(importlib.import_module(module), name)(tuple(sys.argv[2:])))}
    except ImportError as error:
        found = {"absent": str(error.name or error)}
    except Exception as error:
        found = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
