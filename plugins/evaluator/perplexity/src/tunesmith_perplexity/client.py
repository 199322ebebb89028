"""A client of the OpenAI completions API that waits for a server which stumbles, or is started again."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts import TunesmithError

FIRST_DELAY, LONGEST_DELAY = 0.5, 16.0  # seconds before another try; doubled for each further one
_TRANSIENT = (408, 409, 425, 429)  # and everything from 500 on


class CompletionClient:
    """Args:
    url: the API's base (``http://127.0.0.1:8000/v1``).
    pause: waits so many seconds; may raise to give up.
    """

    def __init__(self, url: str, *, timeout: float, retries: int, pause: Callable[[float], None]) -> None:
        self.url, self.timeout, self.retries, self.pause = url.rstrip("/") + "/completions", timeout, retries, pause
        here = urllib.parse.urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
        # a proxy that the environment names can't reach this machine's own ports
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if here else []))

    def complete(self, body: Mapping[str, Any]) -> Any:
        """The reply, decoded.

        Raises:
            TunesmithError: TS-SERVE-020 when the server could not be reached or kept failing, TS-SERVE-021 when it refused the request.
        """
        why = ""
        for attempt in range(self.retries + 1):
            if attempt:
                self.pause(min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY))
            try:
                return self._post(body)
            except urllib.error.HTTPError as error:
                why = f"HTTP {error.code}: {_message(error)}"
                if error.code < 500 and error.code not in _TRANSIENT:
                    raise TunesmithError(
                        "TS-SERVE-021", "The endpoint refused a row", why=why,
                        fix="A row may be longer than it takes (lower `max_length`); some servers refuse `echo` with `logprobs`.",
                    ) from error  # fmt: skip
            except (OSError, ValueError, http.client.HTTPException) as error:
                why = str(error) or type(error).__name__
        raise TunesmithError(
            "TS-SERVE-020", f"The endpoint gave no answer in {self.retries + 1} tries", why=why,
            fix="Look at the model server's log: tunesmith runs logs. Nothing was left out of the numbers: there are none.",
        )  # fmt: skip

    def _post(self, body: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=self.timeout) as reply:
            return json.loads(reply.read())


def _message(error: urllib.error.HTTPError) -> str:
    """What the server says about it, as the API writes errors, or its first words."""
    try:
        text = error.read().decode(errors="replace")
    except OSError:
        return str(error.reason)
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return text[:200] or str(error.reason)
