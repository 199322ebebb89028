"""Puts models to ModelScope, by the hub's own library: large files one after the other, then one commit with all of them.

What was sent stays with the hub although its commit never came: the same files are not asked for again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tunesmith.contracts.digests import file_sha256
from tunesmith.errors import TunesmithError, UserError
from tunesmith_hubs import HubAddress, Published, command_patience
from tunesmith_modelscope import environment_variables
from tunesmith_modelscope.hub import ModelScopeHub
from tunesmith_modelscope.settings import ModelScopeSettings
from tunesmith_modelscope.uri import LATEST, parse

_LARGE = 5 << 20  # bytes; larger files than that go to Git LFS whatever they are called, as by the library's own upload
_WEIGHTS = (".safetensors", ".gguf", ".bin", ".onnx", ".model")


class ModelScopePublisher:
    """A `Publisher` of `tunesmith_hubs` for ``modelscope://`` addresses."""

    def __init__(self) -> None:
        self._endpoint, self._token = environment_variables.endpoint(), environment_variables.token()

    def found(self, uri: str) -> Published | None:
        address = _whole(uri)
        try:
            listing = ModelScopeHub(ModelScopeSettings()).listing(address, command_patience)
        except TunesmithError as error:
            if error.code in ("TS-MODEL-001", "TS-MODEL-004"):  # no repository, or nothing in it
                return None
            raise
        return Published(listing.revision, listing.files, f"{self._endpoint}/models/{address.repo}")

    def publish(self, uri: str, files: Mapping[str, Path], message: str, public: bool, sent: Callable[[str], None]) -> None:
        address = _whole(uri)
        if not self._token:
            fix = "Set MODELSCOPE_API_TOKEN to a token that may write."
            raise UserError("TS-MODEL-006", f"{self._endpoint} is not told who publishes.", fix=fix)
        try:
            from modelscope_hub import HubApi
            from modelscope_hub.errors import AlreadyExistsError
        except ImportError as error:
            fix = "pip install 'tunesmith-modelscope[publish]'"
            raise UserError("TS-MODEL-014", "The library `modelscope_hub` is not installed here.", why=str(error), fix=fix) from None
        with self._told(address):
            api = HubApi(endpoint=self._endpoint, token=self._token)
            with suppress(AlreadyExistsError):
                api.create_repo(address.repo, "model", visibility="public" if public else "private")
            actions = []
            for name, path in files.items():
                actions.append(self._action(api, address.repo, name, path))
                sent(name)
            api.legacy.create_commit(address.repo, "model", actions, message, address.revision)

    def _action(self, api: Any, repo: str, name: str, path: Path) -> dict[str, Any]:
        """What the commit says of a file; a large one is with the hub then."""
        size = path.stat().st_size
        said = {"action": "create", "path": name, "size": size}
        if not name.endswith(_WEIGHTS) and size <= _LARGE:
            return {**said, "type": "normal", "sha256": "", "content": base64.b64encode(path.read_bytes()).decode(), "encoding": "base64"}
        digest = file_sha256(path)
        place = api.legacy.validate_blobs(repo, "model", [{"oid": digest, "size": size}]).get(digest)
        if place:
            with path.open("rb") as reading:
                api.legacy.upload_blob(place, reading, size)
        return {**said, "type": "lfs", "sha256": digest, "content": "", "encoding": ""}

    @contextmanager
    def _told(self, address: HubAddress) -> Iterator[None]:
        """What the library raises, as coded errors."""
        from modelscope_hub.errors import AuthenticationError, HubError, NotExistError, PermissionDeniedError

        try:
            yield
        except (HubError, OSError, ValueError) as error:
            why = str(error).replace(self._token, "***")
            if isinstance(error, (AuthenticationError, NotExistError, PermissionDeniedError)):
                fix = "Set MODELSCOPE_API_TOKEN to a token that may write there."
                raise UserError("TS-MODEL-006", f"The hub does not let you write to {address}.", why=why, fix=fix) from None
            fix = "Check the connection, then run the command again: what was sent stays there."
            raise UserError("TS-MODEL-002", f"The hub does not take what is sent to {address}.", why=why, fix=fix) from None


def _whole(uri: str) -> HubAddress:
    address = parse(uri)
    if address.inside or address.revision != LATEST:
        fix = f"Write modelscope://{address.repo}."
        raise UserError("TS-MODEL-003", f"`{uri}` names more than a repository; a model is published to {LATEST} of a whole one.", fix=fix)
    return address
