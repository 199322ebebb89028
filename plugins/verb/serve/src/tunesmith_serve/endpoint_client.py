"""For plugins that ask an ``endpoint/openai``: many requests at a time, with patience for a server that stumbles or is started again."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tunesmith.contracts import Artifact, Cancelled, Step, TunesmithError

FIRST_DELAY, LONGEST_DELAY = 0.5, 16.0  # seconds before another try; doubled for each further one
POLL = 0.2  # seconds between looks at what is done
NO_MODEL = 404  # status of a model that is not there, as OpenAI's API has it
_OF_ONE = (400, 413, 422)  # statuses of a request that is refused for what is in it
_TRANSIENT = (408, 409, 425, 429)  # and everything from 500 on


class Endpoint:
    """
    Args:
        subject: the endpoint, its ``meta["url"]`` the API's base (``http://127.0.0.1:8000/v1``).
        timeout: seconds for one answer.
        retries: further tries where a server can't be reached or fails.
        shorten: the setting that makes requests shorter, for the advice when one is refused.
        model: which of its models is asked (an adapter that is served beside its base); empty: the one that it is named after.
    """

    def __init__(self, subject: Artifact, *, timeout: float, retries: int, shorten: str, model: str = "") -> None:
        self.url, self.model = str(subject.meta["url"]).rstrip("/"), model or str(subject.meta["model"])
        self._models = ", ".join(map(str, (subject.meta["model"], *subject.meta.get("adapters", ()))))
        self._timeout, self._retries, self._shorten, self._stop = timeout, retries, shorten, threading.Event()
        here = urllib.parse.urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")
        # a proxy that the environment names can't reach this machine's own ports
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if here else []))

    def ask_all(
        self, route: str, bodies: Sequence[Mapping[str, Any]], step: Step, *, concurrency: int, what: str, unit: str
    ) -> list[Any]:  # fmt: skip
        """The decoded replies to POSTs, in their order; `model` is filled in. A failure ends it: nothing is left out.

        Args:
            route: below the API's base (``/chat/completions``).
            concurrency: requests under way at a time.
            what, unit: for the step's progress.

        Raises:
            TunesmithError: TS-SERVE-020 when the server can't be reached or keeps failing, TS-SERVE-021 when it refuses a request,
                TS-SERVE-022 when what it says is no JSON.
            Cancelled: the step was asked to stop.
        """
        replies: list[Any] = [None] * len(bodies)
        for place, reply in self.ask_each(route, bodies, step, concurrency=concurrency, what=what, unit=unit):
            if isinstance(reply, TunesmithError):
                raise reply
            replies[place] = reply
        return replies

    def ask_each(
        self, route: str, bodies: Sequence[Mapping[str, Any]], step: Step, *, concurrency: int, what: str, unit: str
    ) -> Iterator[tuple[int, Any]]:  # fmt: skip
        """The same as they come: (place in `bodies`, decoded reply). Where the endpoint refuses a request for what is in it (too long), its
        TS-SERVE-021 stands in the reply's place, and the others go on; all else that fails ends it, as in `ask_all`."""
        pool = ThreadPoolExecutor(concurrency, what)
        done: queue.SimpleQueue[tuple[int, Future[Any]]] = queue.SimpleQueue()
        try:
            for place, body in enumerate(bodies):
                pool.submit(self.ask, route, body).add_done_callback(lambda future, place=place: done.put((place, future)))
            for count in range(len(bodies)):
                step.progress(count, len(bodies), what=what, unit=unit)
                place, future = _next(done, step)
                try:
                    yield place, future.result()
                except TunesmithError as error:
                    if error.facts.get("status") not in _OF_ONE:
                        raise
                    yield place, error
            step.progress(len(bodies), len(bodies), what=what, unit=unit)
        finally:
            self._stop.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def ask(self, route: str, body: Mapping[str, Any] | None) -> Any:
        """One decoded reply to a POST, or, without a body, to a GET; raises as `ask_all`."""
        code, why = "", ""
        for attempt in range(self._retries + 1):
            delay = min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY) if attempt else 0.0
            if self._stop.wait(delay):
                raise Cancelled("the requests were called off")
            try:
                return self._send(route, body if body is None else {"model": self.model, **body})
            except urllib.error.HTTPError as error:
                code, why = "TS-SERVE-020", f"HTTP {error.code}: {_message(error)}"
                if error.code < 500 and error.code not in _TRANSIENT:
                    fix = f"It may be longer than the model takes: lower `{self._shorten}`. The server's log: tunesmith runs logs."
                    if error.code == NO_MODEL:
                        fix = f"Ask for a model that it serves, with the setting `model`: {self._models}."
                    facts = {"status": error.code}
                    raise TunesmithError("TS-SERVE-021", "The endpoint refused a request", why=why, fix=fix, facts=facts) from error
            except ValueError as error:
                code, why = "TS-SERVE-022", str(getattr(error, "doc", error))[:200]
            except (OSError, http.client.HTTPException) as error:
                code, why = "TS-SERVE-020", str(error) or type(error).__name__
        what = "The endpoint's reply is no JSON" if code == "TS-SERVE-022" else f"The endpoint gave no answer in {self._retries + 1} tries"
        fix = "Look at the model server's log: tunesmith runs logs. Nothing was left out of the numbers: there are none."
        raise TunesmithError(code, what, why=why, fix=fix)

    def models(self) -> list[str]:
        """Names of the models that it lists; raises as `ask_all`."""
        try:
            return [str(one["id"]) for one in self.ask("/models", None)["data"]]
        except (LookupError, TypeError) as error:
            raise TunesmithError("TS-SERVE-022", "The endpoint lists its models in no way that is known", why=repr(error),
                                 fix="Is the endpoint an OpenAI-compatible one?") from error  # fmt: skip

    def _send(self, route: str, body: Mapping[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + route, data, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=self._timeout) as reply:
            return json.loads(reply.read())


def _next(done: queue.SimpleQueue[tuple[int, Future[Any]]], step: Step) -> tuple[int, Future[Any]]:
    while True:
        step.check_cancelled()
        try:
            return done.get(timeout=POLL)
        except queue.Empty:
            continue


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
