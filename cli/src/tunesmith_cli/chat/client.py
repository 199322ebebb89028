"""A client of an OpenAI-compatible endpoint, on the standard library alone."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tunesmith.errors import TunesmithError, UserError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ChatClient:
    """Chats with the model behind `url` (``http://host:port/v1``); $OPENAI_API_KEY is sent if it is set.

    Args:
        timeout: seconds to wait for a part of an answer.
    """

    def __init__(self, url: str, model: str = "", timeout: float = 600.0) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise UserError("TS-CLI-002", f"{url} is no endpoint's address", fix="Write it as http://127.0.0.1:8000/v1.")
        self.url, self._timeout = url.rstrip("/"), timeout
        # What is on this machine is not behind the proxy that the environment names.
        direct = urlsplit(url).hostname in _LOOPBACK
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if direct else []))
        self.model = model or self._first_model()

    def _first_model(self) -> str:
        with self._open("/models") as response:
            try:
                return str(json.load(response)["data"][0]["id"])
            except (ValueError, LookupError, TypeError):
                raise self._strange("its list of models can't be read") from None

    def stream(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> Iterator[str]:
        """The answer to a conversation, piece by piece.

        Raises:
            UserError: TS-CLI-014 when nothing answers at the address.
            TunesmithError: TS-CLI-015 when the endpoint answers with an error, or breaks off.
        """
        body = {"model": self.model, "messages": list(messages), "stream": True, **options}
        finished = False
        with self._open("/chat/completions", body) as response:
            try:
                if "event-stream" not in response.headers.get("Content-Type", ""):
                    yield self._piece(json.load(response), "message")  # it does not stream
                    return
                for line in response:
                    name, _, value = line.decode("utf-8", "replace").strip().partition(":")
                    if name != "data":
                        continue  # comments keep a connection alive
                    if value.strip() == "[DONE]":
                        return
                    data = json.loads(value)
                    yield self._piece(data, "delta")
                    finished = finished or any(choice.get("finish_reason") for choice in data.get("choices") or ())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise self._strange(f"its answer broke off: {type(error).__name__}: {error}") from None
        if not finished:  # a connection that is cut between two events looks like an end
            raise self._strange("its answer broke off: the stream ended without a reason")

    def _piece(self, data: Mapping[str, Any], key: str) -> str:
        if data.get("error"):
            raise self._strange(_message(data))
        choices = data.get("choices") or [{}]
        return str((choices[0].get(key) or {}).get("content") or "")

    def _open(self, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        if os.environ.get("OPENAI_API_KEY"):
            headers["Authorization"] = f"Bearer {os.environ['OPENAI_API_KEY']}"
        data = None if body is None else json.dumps(body).encode()
        try:
            return self._opener.open(urllib.request.Request(self.url + path, data, headers), timeout=self._timeout)
        except urllib.error.HTTPError as error:
            try:
                said = _message(json.load(error))
            except (ValueError, OSError):
                said = error.reason
            raise self._strange(f"status {error.code}: {said}", self._fix(error.code, path)) from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", None) or error
            raise UserError(
                "TS-CLI-014", f"no endpoint answers at {self.url}", why=str(why),
                fix="Start one (`tunesmith serve --model URI` prints its address), or chat with --model URI, which does so itself.",
            ) from None  # fmt: skip

    def _fix(self, status: int, path: str) -> str:
        """What to do about an answer with this status; empty where only the endpoint knows."""
        if status in (401, 403):
            return "Put the key that it asks for into the environment variable OPENAI_API_KEY."
        if status == 404 and path == "/models":
            return f"Is that its API's base? Most are written with /v1: {self.url}/v1"
        return "Name a model that it has, or leave --served-model out: then it is its first." if status == 404 else ""

    def _strange(self, why: str, fix: str = "") -> TunesmithError:
        fix = fix or "See its own log: `tunesmith runs logs`."
        return TunesmithError("TS-CLI-015", f"the endpoint at {self.url} failed", why=why, fix=fix)


def _message(data: Any) -> str:
    """What an error's body says: OpenAI's ``{"error": {"message"}}``, or whatever it is."""
    error = data.get("error", data) if isinstance(data, dict) else data
    return str(error.get("message", error) if isinstance(error, dict) else error)
