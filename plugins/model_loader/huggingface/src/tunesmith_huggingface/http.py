"""HTTP to the hub: one attempt at a time, with every failure told apart: worth another try, or final.

`urllib` brings proxies from the environment and certificates; what it lacks is here: the token goes to the hub's own origin only, never
along with a redirect to another host.
"""

from __future__ import annotations

import email.utils
import http.client
import os
import platform
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tunesmith.errors import Cancelled, UserError

Response = Any  # http.client.HTTPResponse with `url`, the address after redirects

_AGENT = f"tunesmith-huggingface/0.1.0; python/{platform.python_version()}"
_LONGEST_WAIT = 300.0  # seconds; a server that asks for more is given up


class Transient(Exception):
    """An attempt failed in a way that may pass. `retry_after`: seconds the server asked to wait; `reached`: whether a server answered."""

    def __init__(self, message: str, *, retry_after: float = 0.0, reached: bool = True) -> None:
        super().__init__(message)
        self.retry_after, self.reached = retry_after, reached


class Refused(Exception):
    """The server's final answer: an HTTP status of 400 to 499, and the hub's own error code if it gave one."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Client:
    """Opens URLs.

    Args:
        endpoint: the origin that the token belongs to.
        timeout: seconds without a byte.
    """

    def __init__(self, endpoint: str, token: str, timeout: float) -> None:
        self.endpoint, self._token, self._timeout = endpoint, token, timeout
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        context = ssl.create_default_context()
        if bundle and os.path.isfile(bundle):
            context.load_verify_locations(bundle)
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _Redirects(self._headers))

    @property
    def authenticated(self) -> bool:
        return bool(self._token)

    def open(self, url: str, span: tuple[int, int] | None = None) -> Response:
        """One GET, of the bytes `span` (first, last) only if it is given.

        Raises:
            Transient: connection problems, 408, 429, 5xx.
            Refused: any other 4xx.
            UserError: TS-MODEL-002 for a certificate that can't be trusted.
        """
        headers = self._headers(url)
        if span:
            headers["Range"] = f"bytes={span[0]}-{span[1]}"
        try:
            return self._opener.open(urllib.request.Request(url, headers=headers), timeout=self._timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise _judged(error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise UserError(
                    "TS-MODEL-002", f"The certificate of {urlsplit(url).hostname} can't be trusted.", why=str(reason),
                    fix="If a proxy of your organisation signs it, name its certificate with SSL_CERT_FILE.",
                ) from None  # fmt: skip
            raise Transient(f"{urlsplit(url).netloc}: {reason}", reached=False) from None

    def _headers(self, url: str) -> dict[str, str]:
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
        if self._token and _origin(url) == _origin(self.endpoint):
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


class Patience:
    """Failures in a row, and the waiting between them.

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


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects with headers made anew for where they lead, so that the token stays with its origin."""

    def __init__(self, headers: Callable[[str], dict[str, str]]) -> None:
        self._headers = headers

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"it redirects to the unencrypted {urlsplit(newurl).netloc}")
        fresh = self._headers(newurl)
        if req.has_header("Range"):
            fresh["Range"] = req.get_header("Range")
        return urllib.request.Request(newurl, headers=fresh)

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302  # Python 3.10 does not know it


def _judged(error: urllib.error.HTTPError) -> Transient | Refused:
    message = f"{urlsplit(error.url or '').netloc} answers {error.code} {error.headers.get('X-Error-Message') or error.reason}"
    if error.code in (408, 425, 429) or error.code >= 500:
        return Transient(message, retry_after=_retry_after(error.headers))
    return Refused(error.code, error.headers.get("X-Error-Code") or "", message)


def _retry_after(headers: Any) -> float:
    """Seconds from `Retry-After` (a number or a date) or from the hub's `RateLimit: "api";r=0;t=55`."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isdigit():
        return float(value)
    moment = email.utils.parsedate_tz(value) if value else None
    if moment:
        return max(0.0, email.utils.mktime_tz(moment) - time.time())
    limit = re.search(r"\br\s*=\s*0\b.*\bt\s*=\s*(\d+)", headers.get("RateLimit") or "")
    return float(limit[1]) if limit else 0.0


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
