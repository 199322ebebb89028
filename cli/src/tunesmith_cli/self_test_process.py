"""Runs a device backend's self-test: ``python -m tunesmith_cli.self_test_process TARGET BACKEND TORCH_NAME``, the devices on stdin as JSON.

It prints a line of JSON per case, and last ``{"ended": true}``, ``{"absent": package}`` or ``{"failed": sentence}``. A process of its own:
what it computes with is heavy, and a device that is broken may take the process down.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

from tunesmith.contracts.kinds.device_backend import Device


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print
    target, backend, torch_name = sys.argv[1:]
    devices = [Device(**{**one, "dtypes": tuple(one["dtypes"]), "remarks": tuple(one["remarks"])}) for one in json.load(sys.stdin)]
    try:
        module, _, name = target.partition(":")
        for case in getattr(importlib.import_module(module), name)(backend, torch_name, devices):
            print(json.dumps(case), file=answers, flush=True)
        last: dict[str, object] = {"ended": True}
    except ImportError as error:
        last = {"absent": str(error.name or error)}
    except Exception as error:
        last = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(last), file=answers, flush=True)


if __name__ == "__main__":
    main()
