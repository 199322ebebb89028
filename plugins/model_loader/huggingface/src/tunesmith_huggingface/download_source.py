"""Where a file's bytes come from: the hub's address, and the one that it redirects to, as long as that is good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tunesmith_huggingface.http import Client, Refused, Response, Transient
from tunesmith_huggingface.partial_file import Part

_CHUNK = 256 << 10


class Source:
    """Opens parts of a file. A redirect is followed once for many parts, and again when the address that it led to has expired."""

    def __init__(self, client: Client, url: str) -> None:
        self._client, self._url, self._located = client, url, url

    def has_ranges(self) -> bool:
        """Whether the server gives parts of a file."""
        with self._open((0, 0)) as response:
            return response.status == 206

    @contextmanager
    def open(self, part: Part) -> Iterator[tuple[Iterator[bytes], bool]]:
        """(The bytes that the part still lacks, whether they start at its beginning again).

        Raises:
            Transient: also when the answer is not of those bytes.
        """
        first = part.start + part.done
        with self._open((first, part.end - 1)) as response:
            if response.status == 206:
                given = re.match(r"bytes (\d+)-", response.headers.get("Content-Range") or "")
                if not given or int(given[1]) != first:
                    raise Transient(f"asked for bytes from {first} on, the server sends {response.headers.get('Content-Range')}")
                yield _chunks(response, part.end - first), False
            elif part.start == 0:
                yield _chunks(response, part.end), True
            else:
                raise Transient("the server sends the whole file where a part was asked for")

    def _open(self, span: tuple[int, int]) -> Response:
        located = self._located  # other threads may change it meanwhile
        try:
            response = self._client.open(located, span)
        except Refused:
            if located == self._url:
                raise
            response = self._client.open(self._url, span)  # the address that it redirected to has expired
        self._located = response.url
        return response


def _chunks(response: Response, count: int) -> Iterator[bytes]:
    """`count` bytes, or fewer if the connection ends."""
    while count:
        data = response.read(min(_CHUNK, count))
        if not data:
            return
        count -= len(data)
        yield data
