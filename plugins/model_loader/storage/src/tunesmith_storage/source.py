"""A file of a store, read in parts by fsspec, and what its libraries raise as what may pass or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from tunesmith.errors import TunesmithError
from tunesmith_hubs import HubFile, Refused, Transient, WrongFile

T = TypeVar("T")

_CHUNK = 4 << 20  # bytes of one request
_STATES = ("ETag", "etag", "md5Hash", "generation", "LastModified", "modified", "mtime", "updated")


def state_of(entry: Mapping[str, Any]) -> str:
    """What names a file's state: the store's ETag, else the time when it was written; empty if the store tells neither."""
    return next((str(entry[key]).strip('"') for key in _STATES if entry.get(key)), "")


def attempt(action: Callable[[], T]) -> T:
    """One call of a library.

    Raises:
        Refused: 404 not there, 403 not allowed.
        Transient: anything else: libraries raise what they like when a connection fails.
    """
    try:
        return action()
    except FileNotFoundError as error:
        raise Refused(404, str(error) or "not there") from None
    except PermissionError as error:
        raise Refused(403, str(error) or "not allowed") from None
    except (TunesmithError, Refused, Transient, WrongFile):
        raise
    except Exception as error:
        status = _status(error)
        if status in (401, 403, 404):
            raise Refused(status, f"{type(error).__name__}: {error}") from None
        raise Transient(f"{type(error).__name__}: {error}", reached=status > 0) from None


def _status(error: Exception) -> int:
    """The HTTP status that an error tells of; 0 if it tells none."""
    answer = getattr(error, "response", None)
    told = getattr(error, "status", None) or getattr(error, "code", None) or getattr(answer, "status_code", None)
    if isinstance(answer, Mapping):  # botocore
        told = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return told if isinstance(told, int) else 0


class FileSystemSource:
    """Reads parts of a file, if it is still the one that was listed."""

    def __init__(self, filesystem: Any, path: str, place: str, file: HubFile) -> None:
        self.place = place
        self._filesystem, self._path, self._file, self._looked = filesystem, path, file, False

    def has_ranges(self) -> bool:
        return True

    @contextmanager
    def open(self, first: int, last: int) -> Iterator[tuple[Iterator[bytes], int]]:
        if not self._looked:
            self._look()
        yield self._pieces(first, last + 1), first

    def _look(self) -> None:
        try:
            entry = attempt(lambda: self._filesystem.info(self._path))
        except Refused as refusal:
            if refusal.status != 404:
                raise
            raise WrongFile(f"{self.place} has no {self._path} any more") from None
        if int(entry.get("size") or 0) != self._file.size:
            raise WrongFile(f"{self.place} has {entry.get('size')} bytes of it, {self._file.size} were listed")
        if not self._file.digest and not self._file.version.endswith(f" {state_of(entry)}"):
            raise WrongFile(f"{self.place} has another version of it by now")
        self._looked = True

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            upto = min(start + _CHUNK, end)
            data = attempt(lambda start=start, upto=upto: self._filesystem.cat_file(self._path, start=start, end=upto))
            if not data:
                return
            yield data[: upto - start]
            start += len(data)
