"""Imports modules in a process of its own and says what came of it: ``python -m tunesmith_cli.import_probe MODULE...``.

A line of JSON per module: ``{"module", "error", "loaded"}``. What the modules print goes to stderr. A module may end the process; the
caller sees it by the missing lines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tunesmith.isolation.secret_variables import withheld


def probe(modules: Sequence[str], root: Path | None = None, timeout: float = 60) -> Iterator[dict[str, Any]]:
    """What importing each module gives: its `error` (empty if none) and the top-level modules `loaded` with it.

    All are imported in one process, in order; when one takes the process down the rest goes on in another.
    """
    environment = {name: value for name, value in os.environ.items() if name not in withheld(os.environ)}
    if root:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), environment.get("PYTHONPATH")]))
    waiting = list(modules)
    while waiting:
        command = [sys.executable, "-m", "tunesmith_cli.import_probe", *waiting]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
            lines, ended = done.stdout.splitlines(), f"it ends the process with status {done.returncode}"
        except subprocess.TimeoutExpired as expired:
            out = expired.stdout or b""
            lines, ended = (out if isinstance(out, str) else out.decode()).splitlines(), f"it does not come to an end in {timeout:.0f} s"
        yield from map(json.loads, lines[: len(waiting)])
        waiting = waiting[len(lines) :]
        if waiting:
            yield {"module": waiting.pop(0), "error": ended, "loaded": []}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for module in sys.argv[1:]:
        before, error = set(sys.modules), ""
        try:
            __import__(module)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
        loaded = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
        print(json.dumps({"module": module, "error": error, "loaded": loaded}), file=answers, flush=True)


if __name__ == "__main__":
    main()
