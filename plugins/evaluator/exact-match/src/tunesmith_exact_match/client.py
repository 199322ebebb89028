"""A client of the OpenAI chat API: one question, one answer, patience with a server that stumbles."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts import TunesmithError

FIRST_DELAY = 0.5  # seconds before the second try; doubled for each further one
_TRANSIENT = (408, 409, 425, 429)  # and everything from 500 on


class ChatClient:
    """Args:
    url: the API's base (``http://127.0.0.1:8000/v1``).
    pause: waits so many seconds; may raise to give up.
    """

    def __init__(self, url: str, *, timeout: float, retries: int, pause: Callable[[float], None]) -> None:
        self.url, self.timeout, self.retries, self.pause = url.rstrip("/") + "/chat/completions", timeout, retries, pause
        here = urllib.parse.urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
        # a proxy that the environment names can't reach this machine's own ports
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if here else []))

    def answer(self, body: Mapping[str, Any]) -> str:
        """The assistant's text.

        Raises:
            TunesmithError: TS-SERVE-020 when the server could not be reached or kept failing, TS-SERVE-021 when it refused the
                request, TS-SERVE-022 when its reply is not a chat completion.
        """
        for attempt in range(self.retries + 1):
            if attempt:
                self.pause(FIRST_DELAY * 2 ** (attempt - 1))
            try:
                return _text(self._post(body))
            except urllib.error.HTTPError as error:
                why = f"HTTP {error.code}: {_message(error)}"
                if error.code < 500 and error.code not in _TRANSIENT:
                    raise TunesmithError(
                        "TS-SERVE-021", "The endpoint refused a question", why=why,
                        fix="Look at the model server's log; the question may be longer than it takes.",
                    ) from error  # fmt: skip
            except (OSError, http.client.HTTPException) as error:
                why = str(error) or type(error).__name__
        raise TunesmithError("TS-SERVE-020", f"The endpoint gave no answer in {self.retries + 1} tries", why=why,
                             fix="Look at the model server's log. Nothing was counted: answer errors are not wrong answers.")  # fmt: skip

    def _post(self, body: Mapping[str, Any]) -> bytes:
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url, data, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=self.timeout) as reply:
            return reply.read()


def _text(reply: bytes) -> str:
    try:
        return json.loads(reply)["choices"][0]["message"]["content"] or ""
    except (ValueError, LookupError, TypeError) as error:
        raise TunesmithError("TS-SERVE-022", "The endpoint's reply is not a chat completion", why=reply[:200].decode(errors="replace"),
                             fix="Is the endpoint an OpenAI-compatible one?") from error  # fmt: skip


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
