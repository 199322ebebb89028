"""The wish that a step stop. Libraries that take seconds to import can't ask for it, so it meets them there."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import Any

from tunesmith.errors import Cancelled


class Cancel(threading.Event):
    """Set by the host's ``$/cancel``. Until the step has asked and so heard of it, the next import of a module in the main thread raises
    `Cancelled`, except while another exception is being handled: what cleans up goes on."""

    def set(self) -> None:
        super().set()
        sys.meta_path.insert(0, self)  # type: ignore[arg-type]

    def is_set(self) -> bool:
        return super().is_set() and self._heard()

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(timeout) and self._heard()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """As a finder of modules, the first of them; it finds none."""
        if threading.current_thread() is threading.main_thread() and sys.exc_info()[0] is None:
            raise Cancelled(f"while {name} was imported")

    def end(self) -> None:
        """The step is over: what its libraries import as the process ends is let be."""
        self._heard()

    def _heard(self) -> bool:
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self)  # type: ignore[arg-type]
        return True
