"""API keys: random words that clients hold, of which the gateway keeps hashes; who a request is from.

A key made here has 256 bits of chance, so that a plain SHA-256 can't be turned back; that is why only keys made here, or as long, are
hashed.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tunesmith.contracts.settings import build, problems, schema_of
from tunesmith.errors import Problems, TunesmithError, UserError
from tunesmith_gateway.settings import GatewaySettings, KeySettings, LimitSettings

PREFIX, SHORTEST = "tsk-", 24  # characters of a key of somebody else's making
CODE = "TS-SERVE-042"


@dataclass(frozen=True)
class Client:
    """Who asks: a key's name, or the address where there are no keys; and what it may."""

    name: str
    limits: LimitSettings
    models: tuple[str, ...] = ()

    def may_ask(self, model: str) -> bool:
        return not self.models or model in self.models


def new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass
class KeyStore:
    """The keys of a file and of an environment variable. The file is read again when it changes, so that a key can be taken away."""

    settings: GatewaySettings
    _read: tuple[int, int] | None = None  # time and size of the file that `_filed` is from, or that could not be read
    _filed: dict[str, Client] = field(default_factory=dict)

    def __post_init__(self) -> None:
        words = os.environ.get(self.settings.keys_env, "") if self.settings.keys_env else ""
        self._told = {
            hash_of(word.strip()): Client(f"{self.settings.keys_env}-{number}", self.settings.limits)
            for number, word in enumerate(filter(str.strip, words.split(",")), 1)
        }

    @property
    def needed(self) -> bool:
        """Whether a request needs a key: also while the file has none, or can't be read."""
        return bool(self.settings.keys_file or self._told)

    def load(self) -> None:
        """Read the file.

        Raises:
            Problems: TS-SERVE-042 for all that is wrong in it.
        """
        if self.settings.keys_file:
            status = os.stat(self.settings.keys_file)
            if self._read != (status.st_mtime_ns, status.st_size):
                self._read = (status.st_mtime_ns, status.st_size)  # one that is wrong is not read, and told of, at each request
                self._filed = {entry.hash: self._client(entry) for entry in read_keys(Path(self.settings.keys_file))}

    def find(self, key: str) -> Client | None:
        """Whose key this is; None if nobody's."""
        digest = hash_of(key)
        return self._filed.get(digest) or self._told.get(digest)

    def _client(self, entry: KeySettings) -> Client:
        default = self.settings.limits
        own = {name: getattr(entry, name) or getattr(default, name) for name in LimitSettings.__dataclass_fields__}
        return Client(entry.name, LimitSettings(**own), tuple(entry.models))


def read_keys(path: Path) -> list[KeySettings]:
    """The entries of a file of keys.

    Raises:
        Problems: TS-SERVE-042 for all that is wrong in it.
    """
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Problems([_wrong(f"{path} can't be read: {' '.join(str(error).split())}")]) from None
    schema = {"type": "array", "items": schema_of(KeySettings)}
    found: list[TunesmithError] = [_wrong(f"{path}: `{at}` {sentence}") for at, sentence in problems(schema, told)]
    if found:
        raise Problems(found)
    entries = [build(KeySettings, entry) for entry in told]
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Problems([_wrong(f"{path}: several keys are called `{name}`") for name in twice])
    return entries


def add_key(path: Path, entry: dict[str, Any]) -> None:
    """Put an entry at the end of a file of keys, which is made if need be, readable by its owner alone.

    Raises:
        Problems: TS-SERVE-042 when the file, or it with the entry, is not as it should be; then it is left as it was.
    """
    found: list[TunesmithError] = [_wrong(f"`{at}` {sentence}") for at, sentence in problems(schema_of(KeySettings), entry)]
    if found:
        raise Problems(found)
    if path.exists() and any(known.name == entry["name"] for known in read_keys(path)):
        what = f"{path} has a key called `{entry['name']}` already"
        raise Problems([UserError("TS-SERVE-042", what, fix="Choose another name, or take that entry out: its key stops at once then.")])
    try:
        _append(path, yaml.safe_dump([entry], sort_keys=False))
    except OSError as error:
        what, why = f"{path} can't be written", error.strerror or type(error).__name__
        raise Problems(
            [UserError(CODE, what, why=f"{why}.", fix="Name a file in a folder that is there and yours: --file FILE.")]
        ) from None


def _append(path: Path, text: str) -> None:
    """Whole or not at all."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(before + ("\n" if before and not before.endswith("\n") else "") + text)
        read_keys(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _wrong(sentence: str) -> UserError:
    return UserError(CODE, sentence, fix="`tunesmith gateway key NAME --file FILE` writes entries as they should be.")
