"""This backend alone, without a pipeline: MODEL PORT SETTINGS (JSON)."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any


class Bench:
    """A step that never ends."""

    def __init__(self) -> None:
        from tunesmith.contracts import Placement

        self.placement = Placement()

    def ready(self, **facts: Any) -> None: ...

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        return threading.Event().wait(timeout)

    def check_cancelled(self) -> None: ...

    def progress(self, *_: Any, **__: Any) -> None: ...

    def log(self, *words: Any) -> None:
        print(*words)

    decide = log


if __name__ == "__main__":
    from tunesmith.contracts import Address, Artifact
    from tunesmith_transformers.backend import TransformersBackend
    from tunesmith_transformers.settings import TransformersSettings

    settings = TransformersSettings(**json.loads(sys.argv[3]))
    TransformersBackend(settings).serve(Artifact("model/hf", Path(sys.argv[1])), "bench", Address(port=int(sys.argv[2])), Bench())  # type: ignore[arg-type]
