"""Asks a model behind an OpenAI endpoint one question, on the standard library alone."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tunesmith.errors import TunesmithError, UserError

_HERE = ("127.0.0.1", "localhost", "::1")
_TIMEOUT = 300.0  # seconds for an answer
_MOST = 2**20  # bytes of one


@dataclass(frozen=True)
class Endpoint:
    """
    Args:
        url: base of the API, ``http://127.0.0.1:8000/v1``; ``https`` for other machines.
        model: its name there.
        key: sent as a bearer token; empty: none is.

    Raises:
        UserError: TS-ASK-003 for an address that can't be asked.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            known = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
        except ValueError:  # of brackets and ports
            known = False
        if not known or not self.url.isascii() or not self.url.isprintable() or " " in self.url:
            raise UserError("TS-ASK-003", f"{self.url} is no endpoint's address", fix="Write it as http://127.0.0.1:8000/v1.")
        if parts.scheme == "http" and parts.hostname not in _HERE:
            raise UserError(
                "TS-ASK-003", f"{self.url} is on another machine, and without TLS", why="Others could read sentence and key on the way.",
                fix="Write https://, or reach it through a tunnel on this machine.",
            )  # fmt: skip

    def answer(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> str:
        """What it answers, which an endpoint that honours `response_format` keeps to the schema.

        Raises:
            TunesmithError: TS-ASK-003 when it does not answer, or not as an OpenAI endpoint does.
        """
        shape = {"type": "json_schema", "json_schema": {"name": "request", "strict": True, "schema": schema}}
        body = {"model": self.model, "messages": list(messages), "temperature": 0, "response_format": shape}
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.key}"} if self.key else {})}
        asked = urllib.request.Request(f"{self.url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers)
        try:
            with self._opener().open(asked, timeout=_TIMEOUT) as response:
                return str(json.loads(response.read(_MOST))["choices"][0]["message"]["content"])
        except urllib.error.HTTPError as error:
            said = error.read(_MOST).decode("utf-8", "replace")[:500]
            raise self._failed(f"answers with status {error.code}", said) from None
        except OSError as error:
            raise self._failed("does not answer", str(error)) from None
        except http.client.HTTPException as error:  # what answers speaks something else, or stops in the middle
            raise self._failed("does not answer as a web server does", f"{type(error).__name__} {error}".rstrip()) from None
        except (ValueError, LookupError, TypeError):
            raise self._failed("does not answer as OpenAI's API does", "") from None

    def _opener(self) -> urllib.request.OpenerDirector:
        """Redirects are not followed: the key goes to this address alone. What is on this machine is not behind a proxy."""
        here = urlsplit(self.url).hostname in _HERE
        return urllib.request.build_opener(_NoRedirects, *([urllib.request.ProxyHandler({})] if here else []))

    def _failed(self, how: str, why: str) -> TunesmithError:
        why = why.replace(self.key, "...") if self.key else why
        fix = "See whether it is up and knows `response_format`; without --endpoint the sentence is read by rules, offline."
        return TunesmithError("TS-ASK-003", f"{self.url} {how}", why=why, fix=fix)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
