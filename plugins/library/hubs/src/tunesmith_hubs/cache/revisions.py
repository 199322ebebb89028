"""What hubs said of their revisions, for the time when they can't be asked: ``<hub>/<repository>/refs/<revision>.json`` (which one that
was) and ``<hub>/<repository>/<revision>.json`` (its files), below ``$TUNESMITH_CACHE/hubs/models``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import quote

from tunesmith_file.api import read_cached_json, write_json
from tunesmith_hubs.cache.blobs import root
from tunesmith_hubs.hub import Hub, HubAddress
from tunesmith_hubs.listing import Listing

_LONGEST_NAME = 200  # of a folder, on file systems that allow 255 bytes


def remember(hub: Hub, address: HubAddress, listing: Listing) -> None:
    folder = _folder(hub, address)
    write_json(folder / f"{quote(listing.revision, safe='')}.json", listing.to_json())
    write_json(_ref(folder, address), {"revision": listing.revision})


def remembered(hub: Hub, address: HubAddress) -> Listing | None:
    """The last that is known of a revision: from our cache, else from what other tools keep."""
    folder = _folder(hub, address)
    revision = address.revision if address.pinned else read_cached_json(_ref(folder, address)).get("revision")
    known = read_cached_json(folder / f"{quote(str(revision), safe='')}.json") if revision else {}
    try:
        return Listing.from_json(known) if known else hub.known(address)
    except (KeyError, TypeError, ValueError):
        return None


def _ref(folder: Path, address: HubAddress) -> Path:
    return folder / "refs" / f"{quote(address.revision, safe='') or 'none'}.json"


def _folder(hub: Hub, address: HubAddress) -> Path:
    name = quote(address.repo, safe="")
    short = name if len(name) < _LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()
    return root() / "models" / hub.name / short
