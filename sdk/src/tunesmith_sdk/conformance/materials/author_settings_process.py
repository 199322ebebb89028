"""Settings that a plugin's author gives for as long as an examination runs, such as the address of a server that is up for so long.

The author's function is held open in a process of its own: ``python -m ...materials.author_settings_process QUESTION`` writes a line of
JSON and goes on to its end when its standard input is closed, which it is, too, when the kit is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import isgenerator
from pathlib import Path
from typing import Any

from tunesmith.contracts.settings import problems
from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk.conformance.checks import CheckFailed
from tunesmith_sdk.conformance.materials.materials import LIMIT, Materials, call

END = 30.0  # seconds for the function to end what it holds up


@contextmanager
def held(materials: Materials, record: ProviderRecord, values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The settings of a provider's examination: `values`, and on top of them what the author's `settings` gives, where there is one.

    Raises:
        NotRun: it needs a library that is not here.
        CheckFailed: it fails, or gives what the provider does not take.
    """
    if not materials.gives("settings"):
        yield values
        return
    folder = materials.authors_folder("settings", record)
    question, environment = materials.question("settings", record, values, folder)
    errors = folder.with_suffix(".errors")
    with errors.open("wb") as to, _process(question, environment, to) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise materials.failure("settings", errors.read_text(encoding="utf-8", errors="replace"))
        found = {**values, **(json.loads(line) or {})}
        wrong = [f"`{path}` {sentence}" for path, sentence in problems({**record.schema, "required": ()}, found)]
        if wrong:
            raise CheckFailed(f"its author's `settings` gives what the provider does not take: {'; '.join(wrong)}", fix="Correct it.")
        yield found


@contextmanager
def _process(question: Path, environment: Mapping[str, str], errors: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The process that calls the function, and whatever that starts: all of it is gone after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(question)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment,
        start_new_session=True,
    )  # fmt: skip
    late = threading.Timer(LIMIT, process.kill)
    late.daemon = True
    late.start()
    try:
        yield process
    finally:
        late.cancel()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def main(question: Path) -> None:
    answer = os.dup(1)
    os.dup2(2, 1)  # what the author's code prints is no answer
    given = call(question)
    said = next(given, None) if isgenerator(given) else given
    with os.fdopen(answer, "w", encoding="utf-8") as to:
        to.write(json.dumps(said) + "\n")
    sys.stdin.read()
    if isgenerator(given):
        next(given, None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
