"""What model hubs share: a verified, resumable download in parallel parts, one store of files by hash, and the loader around a hub.

A hub's plugin says how its addresses read, what a revision holds and where a file is to be had (`Hub`); `HubLoader` does the rest. A name
is imported at its first use.
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_hubs.datasets.source import HubDatasets
    from tunesmith_hubs.http.client import Client, Refused, Transient, WrongFile
    from tunesmith_hubs.http.hub import HttpHub
    from tunesmith_hubs.http.patience import Patience, PatientClient, command_patience
    from tunesmith_hubs.http.source import HttpSource
    from tunesmith_hubs.hub import Hub, HubAddress, Source
    from tunesmith_hubs.keyring_token import keyring_token
    from tunesmith_hubs.listing import HubFile, Listing, revision_of_files
    from tunesmith_hubs.loader import HubLoader
    from tunesmith_hubs.publisher import Published, Publisher
    from tunesmith_hubs.settings import DownloadSettings, HubSettings

__all__ = [
    "Client", "DownloadSettings", "HttpHub", "HttpSource", "Hub", "HubAddress", "HubDatasets", "HubFile", "HubLoader", "HubSettings",
    "Listing", "Patience", "PatientClient", "Published", "Publisher", "Refused", "Source", "Transient", "WrongFile", "command_patience",
    "keyring_token", "revision_of_files",
]  # fmt: skip

_MODULES = {
    "datasets.source": "HubDatasets",
    "http.client": "Client, Refused, Transient, WrongFile",
    "http.hub": "HttpHub",
    "http.patience": "Patience, PatientClient, command_patience",
    "http.source": "HttpSource",
    "hub": "Hub, HubAddress, Source",
    "keyring_token": "keyring_token",
    "listing": "HubFile, Listing, revision_of_files",
    "loader": "HubLoader",
    "publisher": "Published, Publisher",
    "settings": "DownloadSettings, HubSettings",
}
__getattr__ = exports(__name__, {name: f"tunesmith_hubs.{module}" for module, names in _MODULES.items() for name in names.split(", ")})
