"""Plugins' code that runs in the host (event hooks) gets so much time, and ends nothing but itself."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

LIMIT = 60.0  # seconds for one call


class TimeLimit:
    """Calls functions, all in one thread of their own. A call that takes longer is left behind in it, and the next has another thread."""

    def __init__(self) -> None:
        self._limit = LIMIT
        self._calls: Any = None

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns.

        Raises:
            TimeoutError: it takes too long.
            RuntimeError: it tried to end the process.
            Exception: what it raises.
        """
        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=_work, args=(self._calls,), name="tunesmith-hooks", daemon=True).start()
            weakref.finalize(self, self._calls.put, None)
        answer: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._calls.put((function, arguments, answer))
        try:
            result, error = answer.get(timeout=self._limit)
        except queue.Empty:
            self._calls = None
            raise TimeoutError(f"it did not return within {self._limit:g} seconds") from None
        if error is None:
            return result
        if isinstance(error, Exception):
            raise error
        raise RuntimeError(f"it tried to end the process: {type(error).__name__} {error}".rstrip()) from error


def _work(calls: Any) -> None:
    while call := calls.get():
        function, arguments, answer = call
        try:
            answer.put((function(*arguments), None))
        except BaseException as error:
            answer.put((None, error))
