"""Puts models to the hub, by the hub's own library: large files one after the other, then one commit with all of them.

What was sent stays with the hub although its commit never came: the same files are not asked for again. Servers other than the hub itself
are sent files as Git LFS does, for they need not know the hub's own storage protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tunesmith.errors import TunesmithError, UserError
from tunesmith_hubs import HubAddress, Published, command_patience
from tunesmith_huggingface import environment_variables
from tunesmith_huggingface.hub import HuggingFaceHub
from tunesmith_huggingface.settings import HuggingFaceSettings
from tunesmith_huggingface.uri import parse


class HuggingFacePublisher:
    """A `Publisher` of `tunesmith_hubs` for ``hf://`` addresses."""

    def __init__(self) -> None:
        self._endpoint, self._token = environment_variables.endpoint(), environment_variables.token()

    def found(self, uri: str) -> Published | None:
        address = _whole(uri)
        try:
            listing = HuggingFaceHub(HuggingFaceSettings()).listing(address, command_patience)
        except TunesmithError as error:
            if error.code == "TS-MODEL-001":  # no repository, or no such branch of it
                return None
            raise
        return Published(listing.revision, listing.files, f"{self._endpoint}/{address.repo}")

    def publish(self, uri: str, files: Mapping[str, Path], message: str, public: bool, sent: Callable[[str], None]) -> None:
        address = _whole(uri)
        if not self._token:
            raise UserError("TS-MODEL-006", f"{self._endpoint} is not told who publishes.", fix="Set HF_TOKEN to a token that may write.")
        try:
            from huggingface_hub import CommitOperationAdd, HfApi, constants
            from huggingface_hub.utils import disable_progress_bars
        except ImportError as error:
            fix = "pip install 'tunesmith-huggingface[publish]'"
            raise UserError("TS-MODEL-014", "The library `huggingface_hub` is not installed here.", why=str(error), fix=fix) from None
        disable_progress_bars()
        before = constants.HF_HUB_DISABLE_XET
        constants.HF_HUB_DISABLE_XET = before or self._endpoint != environment_variables.DEFAULT_ENDPOINT
        try:
            with self._told(address):
                api = HfApi(self._endpoint, token=self._token)
                api.create_repo(address.repo, private=not public, exist_ok=True)
                if address.revision != address.latest:
                    api.create_branch(address.repo, branch=address.revision, exist_ok=True)
                operations = [CommitOperationAdd(name, str(path)) for name, path in files.items()]
                for one in operations:
                    api.preupload_lfs_files(address.repo, [one], revision=address.revision, free_memory=False)
                    sent(one.path_in_repo)
                api.create_commit(address.repo, operations, commit_message=message, revision=address.revision)
        finally:
            constants.HF_HUB_DISABLE_XET = before

    @contextmanager
    def _told(self, address: HubAddress) -> Iterator[None]:
        """What the library raises, as coded errors."""
        import httpx
        from huggingface_hub.errors import HfHubHTTPError

        try:
            yield
        except HfHubHTTPError as error:
            status = error.response.status_code
            why = (str(error).strip().splitlines() or [""])[-1].replace(self._token, "***")
            if status in (401, 403, 404):
                fix = "Set HF_TOKEN to a token that may write there."
                raise UserError("TS-MODEL-006", f"The hub does not let you write to {address}.", why=why, fix=fix) from None
            fix = "Run the command again: what was sent is not sent twice."
            raise UserError("TS-MODEL-002", f"The hub refuses a request for {address}.", why=f"{status}: {why}", fix=fix) from None
        except (httpx.HTTPError, OSError, RuntimeError, ValueError) as error:
            why, fix = (
                str(error).replace(self._token, "***"),
                "Check the connection, then run the command again: what was sent stays there.",
            )
            raise UserError("TS-MODEL-002", f"The hub can't be reached for {address}.", why=why, fix=fix) from None


def _whole(uri: str) -> HubAddress:
    address = parse(uri)
    if address.inside:
        fix = f"Write {address}."
        raise UserError("TS-MODEL-003", f"`{uri}` names a place in a repository; a model is published to a whole one.", fix=fix)
    return address
