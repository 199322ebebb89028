"""A hub that is asked over HTTP, and servers that stand in for it."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from tunesmith.errors import TunesmithError, UserError
from tunesmith_hubs.http.client import Client, Refused
from tunesmith_hubs.http.patience import Patience, PatientClient
from tunesmith_hubs.http.source import HttpSource
from tunesmith_hubs.hub import Hub, HubAddress, Source
from tunesmith_hubs.listing import HubFile, Listing
from tunesmith_hubs.settings import HubSettings


class HttpHub(Hub):
    """A hub with an API over HTTP.

    Args:
        credentials: headers that say who asks; the hub's own origin gets them, no mirror and no address that it redirects to.
        endpoint_variable: of the environment, for messages.
    """

    client_type: ClassVar[type[Client]] = Client

    def __init__(self, endpoint: str, credentials: Mapping[str, str], settings: HubSettings, endpoint_variable: str) -> None:
        self.client = self.client_type(endpoint, credentials, settings.timeout)
        mirrors = settings.mirrors or os.environ.get(f"TUNESMITH_{self.name.upper()}_MIRRORS", "").split()
        self.mirrors = [self.client_type(_address(mirror), {}, settings.timeout) for mirror in mirrors]
        self._variable = endpoint_variable

    @abstractmethod
    def listed(self, address: HubAddress, client: PatientClient) -> Listing:
        """What the API tells of a revision. Refused; KeyError, TypeError, ValueError or AttributeError where it is not the hub's answer."""

    @abstractmethod
    def urls(self, endpoint: str, address: HubAddress, name: str, file: HubFile) -> Sequence[str]:
        """Where a server has a file, the best first; it may redirect from there."""

    @abstractmethod
    def refused(self, refusal: Refused, address: HubAddress, client: PatientClient) -> TunesmithError:
        """A refusal of the hub as a coded error."""

    def listing(self, address: HubAddress, patience: Callable[[], Patience]) -> Listing:
        first: TunesmithError | None = None
        for client in (self.client, *self.mirrors):
            try:
                return self._listing(address, PatientClient(client, patience))
            except TunesmithError as error:
                if error.code != "TS-MODEL-002":
                    raise
                first = first or error
        assert first is not None
        raise first

    def _listing(self, address: HubAddress, client: PatientClient) -> Listing:
        try:
            return self.listed(address, client)
        except Refused as refusal:
            raise self.refused(refusal, address, client) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UserError(
                "TS-MODEL-002", f"{client.client.endpoint} does not answer like a hub.",
                fix=f"Check {self._variable}, and whether a log-in page stands between you and the network.",
            ) from None  # fmt: skip

    def sources(self, address: HubAddress, name: str, file: HubFile) -> Sequence[Source]:
        clients = (self.client, *self.mirrors)
        return [HttpSource(one, url, file.size) for one in clients for url in self.urls(one.endpoint, address, name, file)]

    def error(self, refusal: Refused, address: HubAddress, patience: Callable[[], Patience]) -> TunesmithError:
        return self.refused(refusal, address, PatientClient(self.client, patience))


def _address(mirror: str) -> str:
    if not mirror.startswith(("https://", "http://")):
        raise UserError("TS-MODEL-003", f"`{mirror}` is no address of a mirror.", fix="Write it as https://HOST.")
    return mirror.rstrip("/")
