"""HTTP to a hub: one attempt at a time, with every failure told apart: worth another try, or final.

`urllib` brings proxies from the environment and certificates; what it lacks is here: credentials go to the origin that they are for, never
along with a redirect to another one.
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
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from tunesmith.errors import UserError

Response = Any  # http.client.HTTPResponse with `url`, the address after redirects

_AGENT = f"tunesmith-hubs/0.1.0; python/{platform.python_version()}"
_READ_OF_A_REFUSAL = 1 << 16  # bytes


class Transient(Exception):
    """An attempt failed in a way that may pass. `retry_after`: seconds the server asked to wait; `reached`: whether a server answered."""

    def __init__(self, message: str, *, retry_after: float = 0.0, reached: bool = True) -> None:
        super().__init__(message)
        self.retry_after, self.reached = retry_after, reached


class Refused(Exception):
    """The server's final answer: an HTTP status of 400 to 499, with its headers and the beginning of its body."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.status, self.message, self.headers, self.body = status, message, headers or {}, body


class WrongFile(Exception):
    """What a place has is not the file that was listed, as it says itself."""


class Client:
    """Opens URLs.

    Args:
        endpoint: the hub's address; the credentials belong to its origin.
        credentials: headers that say who asks; empty for nobody.
        timeout: seconds without a byte.
    """

    def __init__(self, endpoint: str, credentials: Mapping[str, str], timeout: float) -> None:
        self.endpoint, self._credentials, self._timeout = endpoint, dict(credentials), timeout
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        context = ssl.create_default_context()
        if bundle and os.path.isfile(bundle):
            context.load_verify_locations(bundle)
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _Redirects(self._headers))

    @property
    def authenticated(self) -> bool:
        return bool(self._credentials)

    def open(self, url: str, span: tuple[int, int] | None = None) -> Response:
        """One GET, of the bytes `span` (first, last) only if it is given; errors as for `send`."""
        return self.send("GET", url, headers={"Range": f"bytes={span[0]}-{span[1]}"} if span else {})

    def send(self, method: str, url: str, body: bytes | BinaryIO | None = None, headers: Mapping[str, str] | None = None) -> Response:
        """One request.

        Args:
            body: a file is sent as it is read, and has to be told of by a header ``Content-Length``.

        Raises:
            Transient: connection problems, 408, 425, 429, 5xx.
            Refused: any other 4xx.
            UserError: TS-MODEL-002 for a certificate that can't be trusted.
        """
        try:
            request = urllib.request.Request(url, body, {**self._headers(url), **(headers or {})}, method=method)
            return self._opener.open(request, timeout=self._timeout)
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
        if origin(url) == origin(self.endpoint):
            headers |= self._credentials
        return headers


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects with headers made anew for where they lead, so that credentials stay with their origin."""

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


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _judged(error: urllib.error.HTTPError) -> Transient | Refused:
    said = error.headers.get("X-Error-Message") or error.reason
    message = f"{urlsplit(error.url or '').netloc} answers {error.code} {said}"
    if error.code in (408, 425, 429) or error.code >= 500:
        return Transient(message, retry_after=_retry_after(error.headers))
    try:
        body = error.read(_READ_OF_A_REFUSAL)
    except (OSError, http.client.HTTPException):
        body = b""
    return Refused(error.code, message, error.headers, body)


def _retry_after(headers: Any) -> float:
    """Seconds from `Retry-After` (a number or a date) or from `RateLimit: "api";r=0;t=55`."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isdigit():
        return float(value)
    moment = email.utils.parsedate_tz(value) if value else None
    if moment:
        return max(0.0, email.utils.mktime_tz(moment) - time.time())
    limit = re.search(r"\br\s*=\s*0\b.*\bt\s*=\s*(\d+)", headers.get("RateLimit") or "")
    return float(limit[1]) if limit else 0.0
