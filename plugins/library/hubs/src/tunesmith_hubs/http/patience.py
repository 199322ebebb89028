"""Attempts in a row, and the waiting between them."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tunesmith.errors import Cancelled, UserError
from tunesmith_hubs.http.client import Client, Response, Transient

T = TypeVar("T")

_LONGEST_WAIT = 300.0  # seconds; a server that asks for more is given up


class Patience:
    """Failures in a row.

    Args:
        sleep: waits so many seconds and says whether to give up because the step was cancelled.
    """

    def __init__(self, retries: int, backoff: float, sleep: Callable[[float], bool]) -> None:
        self._retries, self._backoff, self._sleep, self._failures = retries, backoff, sleep, 0

    def progressed(self) -> None:
        self._failures = 0

    def failed(self, error: Transient, what: str) -> None:
        """Wait before the next attempt.

        Raises:
            UserError: TS-MODEL-002 after too many failures.
            Cancelled: if the step was cancelled while it waited.
        """
        self._failures += 1
        # A machine without a network should learn so in seconds; a server that answers now and then deserves more.
        if self._failures > (self._retries if error.reached else min(self._retries, 2)) or error.retry_after > _LONGEST_WAIT:
            raise UserError(
                "TS-MODEL-002", f"{what} can't be fetched.", why=f"{error} ({self._failures} failed attempts in a row).",
                fix="Check the connection and the proxy settings, then run the same command again: what was received is kept.",
            )  # fmt: skip
        if self._sleep(max(error.retry_after, self._backoff * 2 ** (self._failures - 1))):
            raise Cancelled(what)

    def attempts(self, action: Callable[[], T], what: str) -> T:
        """What `action` gives, called anew when it fails in a way that may pass.

        Raises:
            UserError, Cancelled: as `failed`.
            Refused: as `action`.
        """
        while True:
            try:
                return action()
            except Transient as error:
                self.failed(error, what)
            except (http.client.HTTPException, ConnectionError, TimeoutError, EOFError) as error:
                self.failed(Transient(str(error) or type(error).__name__), what)


def command_patience() -> Patience:
    """A command's, which nobody but a signal cancels."""

    def sleep(seconds: float) -> bool:
        time.sleep(seconds)
        return False

    return Patience(5, 1.0, sleep)


class PatientClient:
    """A hub's API, asked patiently.

    Args:
        patience: makes a fresh `Patience` for each request.
    """

    def __init__(self, client: Client, patience: Callable[[], Patience]) -> None:
        self.client, self.patience = client, patience

    def read(self, url: str, what: str, reader: Callable[[Response], T]) -> T:
        """What `reader` makes of the response; called anew when the connection fails."""

        def once() -> T:
            with self.client.open(url) as response:
                try:
                    return reader(response)
                except OSError as error:  # while it is read: a disk is not written here
                    raise Transient(str(error) or type(error).__name__) from None

        return self.patience().attempts(once, what)

    def read_json(self, url: str, what: str) -> Any:
        """The JSON of a response."""
        return self.read(url, what, lambda response: json.loads(response.read()))
