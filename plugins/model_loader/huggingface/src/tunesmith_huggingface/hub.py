"""The hub's API: what a revision is, and where its files are. Its refusals become coded errors (`hub_errors`)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from tunesmith.errors import UserError
from tunesmith_huggingface.http import Client, Patience, Refused, Response, Transient
from tunesmith_huggingface.hub_errors import hub_error
from tunesmith_huggingface.repository_files import Listing
from tunesmith_huggingface.uri import HubURI

T = TypeVar("T")


class Hub:
    """A hub, asked patiently.

    Args:
        patience: makes a fresh `Patience` for each request.
    """

    def __init__(self, client: Client, patience: Callable[[], Patience]) -> None:
        self.client, self._patience = client, patience

    def listing(self, uri: HubURI) -> Listing:
        """Commit and files of a revision.

        Raises:
            UserError: TS-MODEL-001 no such repository or revision, 002 unreachable, 006 no access.
        """
        url = f"{self.client.endpoint}/api/models/{uri.repo}/revision/{quote(uri.revision, safe='')}?blobs=true"
        try:
            return Listing.from_hub(self.read_json(url, str(uri)))
        except Refused as refusal:
            raise hub_error(self, refusal, uri) from None
        except (KeyError, TypeError, ValueError):
            raise UserError(
                "TS-MODEL-002", f"{self.client.endpoint} does not answer like a hub.",
                fix="Check HF_ENDPOINT, and whether a log-in page stands between you and the network.",
            ) from None  # fmt: skip

    def url(self, repo: str, commit: str, file: str) -> str:
        """Where a file is to be had; the server may redirect from there."""
        return f"{self.client.endpoint}/{repo}/resolve/{commit}/{quote(file)}"

    def read(self, url: str, what: str, reader: Callable[[Response], T]) -> T:
        """What `reader` makes of the response; called anew when the connection fails."""
        patience = self._patience()
        while True:
            try:
                with self.client.open(url) as response:
                    return reader(response)
            except Transient as error:
                patience.failed(error, what)
            except (OSError, EOFError, http.client.HTTPException) as error:
                patience.failed(Transient(str(error) or type(error).__name__), what)

    def read_json(self, url: str, what: str) -> Any:
        """The JSON of a response."""
        return self.read(url, what, lambda response: json.loads(response.read()))
