"""The files of a hub as they come to this machine: listed, pinned, verified, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError, UserError
from tunesmith_file.api import offline
from tunesmith_hubs.cache import blobs, revisions
from tunesmith_hubs.download.download import Download
from tunesmith_hubs.download.transfer import Transfer
from tunesmith_hubs.http.client import Refused
from tunesmith_hubs.http.patience import Patience
from tunesmith_hubs.hub import Hub, HubAddress
from tunesmith_hubs.listing import HubFile, Listing
from tunesmith_hubs.settings import DownloadSettings

H = TypeVar("H", bound=Hub)


class HubFiles(Generic[H]):
    """What a loader of models and a source of datasets do with a hub alike."""

    def __init__(self, hub: H, settings: DownloadSettings) -> None:
        self.hub, self.settings = hub, settings

    def listing(self, address: HubAddress, step: Step) -> tuple[Listing, Listing | None]:
        """The revision's files, and those that it had when it was last seen, if it has moved since."""
        known = revisions.remembered(self.hub, address)
        if known and (address.pinned or self._offline):
            return known, None
        if self._offline:
            raise UserError(
                "TS-MODEL-002", f"Offline mode is on and {address} is not in the cache.",
                fix=f"Run once without --offline and {self._offline_variables}.",
            )  # fmt: skip
        try:
            listing = self.hub.listing(address, self.patience(step))
        except TunesmithError as error:
            if error.code != "TS-MODEL-002" or known is None:
                raise
            was = f"Going on with what it was when it was last seen: {known.revision[:12]}."
            step.log(f"{error.what} {was}", "warning")
            return known, None
        revisions.remember(self.hub, address, listing)
        return listing, known if known and known.revision != listing.revision else None

    def here(self, at: HubAddress, name: str, file: HubFile, step: Step) -> Path:
        """A verified copy on this machine, fetched if there is none yet."""
        return self.local(at, name, file, step) or self.download(at, {name: file}, step)[name]

    def local(self, at: HubAddress, name: str, file: HubFile, step: Step) -> Path | None:
        """A verified copy that is on this machine already."""
        return blobs.verified(file, self.hub.copies(at, name, file), step)

    def download(self, at: HubAddress, files: Mapping[str, HubFile], step: Step) -> dict[str, Path]:
        """Where the files are, once they have come."""
        if not files:
            return {}
        self.require_online(at, files)
        settings, patience = self.settings, self.patience(step)
        once = {file.key: (name, file) for name, file in files.items()}
        transfers = {file.key: Transfer(name, file, self.hub.sources(at, name, file)) for name, file in once.values()}
        download = Download(connections=settings.connections, part_size=settings.part_mib << 20, step=step)
        try:
            download.run([*transfers.values()], lambda: Patience(settings.max_retries, settings.backoff, download.stopped.wait))
        except Refused as refusal:
            raise self.hub.error(refusal, at, patience) from None
        found = {}
        for name, file in files.items():
            path = transfers[file.key].blob
            assert path is not None
            found[name] = path
        return found

    @property
    def _offline(self) -> bool:
        return offline(*self.hub.offline_variables)

    def require_online(self, at: HubAddress, files: Mapping[str, HubFile]) -> None:
        if self._offline:
            size = sum(file.size for file in files.values()) / 1e6
            names = ", ".join(sorted(files)[:6]) + (f" and {len(files) - 6} more" if len(files) > 6 else "")
            raise UserError(
                "TS-MODEL-002", f"Offline mode is on and {len(files)} of the files of {at.scheme}://{at.repo} are not in the cache.",
                why=f"{names} ({size:.1f} MB) would have to be fetched.",
                fix=f"Run once without --offline and {self._offline_variables}.",
            )  # fmt: skip

    @property
    def _offline_variables(self) -> str:
        return ", ".join(("TUNESMITH_OFFLINE", *self.hub.offline_variables))

    def patience(self, step: Step) -> Callable[[], Patience]:
        return lambda: Patience(self.settings.max_retries, self.settings.backoff, step.wait_cancelled)
