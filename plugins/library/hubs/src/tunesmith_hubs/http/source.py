"""Parts of a file over HTTP: from its address, and from where that redirects to as long as that is good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tunesmith_hubs.http.client import Client, Refused, Response, Transient, WrongFile

_CHUNK = 256 << 10


class HttpSource:
    """Opens parts of a file. A redirect is followed once for many parts, and again when the address that it led to has expired.

    Args:
        size: of the whole file.
        etag: that the file must have; empty if that is not known.
    """

    def __init__(self, client: Client, url: str, size: int, etag: str = "") -> None:
        self.place = urlsplit(url).netloc
        self._client, self._url, self._located, self._size, self._etag = client, url, url, size, etag

    def has_ranges(self) -> bool:
        with self._open((0, 0)) as response:
            return response.status == 206

    @contextmanager
    def open(self, first: int, last: int) -> Iterator[tuple[Iterator[bytes], int]]:
        with self._open((first, last)) as response:
            if self._etag and response.headers.get("ETag") not in (None, self._etag):
                raise WrongFile(f"{self.place} has another version of it by now")
            if response.status == 206:
                said = response.headers.get("Content-Range") or ""
                given = re.match(r"bytes (\d+)-\d+/(\d+|\*)", said)
                if not given or int(given[1]) != first:
                    raise Transient(f"asked for bytes from {first} on, the server sends {said}")
                self._check_size(given[2])
                yield _chunks(response, last + 1 - first), first
            else:
                self._check_size(response.headers.get("Content-Length") or "*")
                yield _chunks(response, last + 1), 0

    def _open(self, span: tuple[int, int]) -> Response:
        located = self._located  # other threads may change it meanwhile
        try:
            response = self._client.open(located, span)
        except Refused as refusal:
            if refusal.status == 416:
                self._check_size((refusal.headers.get("Content-Range") or "*").rpartition("/")[2])
            if located == self._url:
                raise
            response = self._client.open(self._url, span)  # the address that it redirected to has expired
        self._located = response.url
        return response

    def _check_size(self, said: str) -> None:
        if said.isdigit() and int(said) != self._size:
            raise WrongFile(f"{self.place} has {said} bytes of it, {self._size} are listed")


def _chunks(response: Response, count: int) -> Iterator[bytes]:
    """`count` bytes, or fewer if the connection ends."""
    while count:
        data = response.read(min(_CHUNK, count))
        if not data:
            return
        count -= len(data)
        yield data
