"""The dataset source around a hub: what is the same for all of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError, UserError
from tunesmith_data.api import FoundDataset
from tunesmith_hubs.cache import blobs
from tunesmith_hubs.datasets.split_files import configs_of, files_at, files_of
from tunesmith_hubs.files import HubFiles
from tunesmith_hubs.hub import Hub, HubAddress
from tunesmith_hubs.listing import HubFile, Listing

H = TypeVar("H", bound=Hub)
DATASETS = "datasets/"  #: before the name of a dataset's repository, in addresses and for the hubs' APIs
CARD = "README.md"
_ADDRESS = re.compile(r"(?P<scheme>[a-z]+)://datasets/(?P<place>[^:]*)(?::(?P<config>[^/:]*)(?:/(?P<split>.+))?)?")


class HubDatasets(HubFiles[H]):
    """A plugin's class derives from it and says in `__init__` which hub that is."""

    def find(self, address: str, base: Path, step: Step) -> FoundDataset:
        at, config, split = self.parsed(address)
        try:
            listing, before = self.listing(at, step)
            if before is not None:
                step.log(f"{at} has moved from {before.revision[:12]} to {listing.revision[:12]} since it was last seen here.", "warning")
            rows = self._rows(at, listing, config, split, step)
        except TunesmithError as error:
            raise self._told(error, at) from None
        label = "-".join(filter(None, (at.repo.removeprefix(DATASETS).replace("/", "-"), config, split)))
        files = {name: listing.files[name] for name in rows}
        fetch = {"address": address, "revision": listing.revision, "files": {name: file.to_json() for name, file in files.items()}}
        return FoundDataset(label, {name: file.size for name, file in files.items()}, tuple(rows), listing.revision, fetch)

    def fetch(self, found: FoundDataset, folder: Path, step: Step) -> None:
        at = self.parsed(str(found.fetch["address"]))[0].at(str(found.fetch["revision"]))
        files = {name: HubFile(**entry) for name, entry in found.fetch["files"].items()}
        local = {name: self.local(at, name, file, step) for name, file in files.items()}
        try:
            fetched = self.download(at, {name: file for name, file in files.items() if local[name] is None}, step)
        except TunesmithError as error:
            raise self._told(error, at) from None
        for name, file in files.items():
            blobs.place(local[name] or fetched[name], folder / name, file, step)

    def parsed(self, address: str) -> tuple[HubAddress, str, str]:
        """Where it is, configuration and split; the latter empty where none is named.

        Raises:
            UserError: TS-MODEL-003.
        """
        match = _ADDRESS.fullmatch(address)
        if match is None:
            scheme = address.partition("://")[0]
            raise UserError("TS-MODEL-003", f"`{address}` is no dataset of a hub.",
                            fix=f"Write {scheme}://datasets/OWNER/NAME[@REVISION][:CONFIGURATION/SPLIT].")  # fmt: skip
        at = self.hub.parse(f"{match['scheme']}://{match['place']}")
        return replace(at, repo=DATASETS + at.repo), match["config"] or "", match["split"] or ""

    def by_hand(self, at: HubAddress) -> str:
        """What to do on another machine, and where to put what comes of it, where the hub can't be reached from this one."""
        raise NotImplementedError

    def _rows(self, at: HubAddress, listing: Listing, config: str, split: str, step: Step) -> list[str]:
        if at.inside:
            return files_at(listing.files, at.inside, str(at))
        card = listing.files.get(CARD)
        text = self.here(at.at(listing.revision), CARD, card, step).read_text("utf-8", "replace") if card else ""
        return files_of(listing.files, configs_of(text), config, split, str(at))

    def _told(self, error: TunesmithError, at: HubAddress) -> TunesmithError:
        """The same error with what to fetch and where to put it, where the hub can't be reached."""
        if error.code != "TS-MODEL-002":
            return error
        return UserError(error.code, error.what, why=error.why, fix=f"{error.fix} {self.by_hand(at)}".strip())
