"""The hub's API: what a revision is, and where its files are. Its refusals become coded errors here."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith_huggingface.http import Client, Patience, Refused, Response, Transient
from tunesmith_huggingface.listing import Listing
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
            return Listing.from_hub(self._read_json(url, str(uri)))
        except Refused as refusal:
            raise self.explained(refusal, uri) from None
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

    def explained(self, refusal: Refused, uri: HubURI) -> TunesmithError:
        """A refusal as a coded error."""
        why = refusal.message + "."
        if refusal.code == "RevisionNotFound":
            return UserError("TS-MODEL-001", f"hf://{uri.repo} has no revision `{uri.revision}`.", why=why, fix=self._near(uri))
        if refusal.code == "EntryNotFound":
            return UserError("TS-MODEL-001", f"{uri} lacks a file that it lists.", why=why, fix="Run the command again.")
        if refusal.code == "GatedRepo" or (refusal.status in (401, 403) and self.client.authenticated and refusal.code != "RepoNotFound"):
            fix = f"Ask for access on {self.client.endpoint}/{uri.repo}, then set HF_TOKEN to a token that may read it."
            return UserError("TS-MODEL-006", f"The hub refuses access to {uri}.", why=why, fix=fix)
        if refusal.status in (401, 403, 404):
            private = "" if self.client.authenticated else " If it is private or gated, set HF_TOKEN: without it the hub does not tell."
            return UserError("TS-MODEL-001", f"There is no model {uri} on {self.client.endpoint}.", why=why,
                             fix=f"Check the spelling: hf://ORG/NAME.{private}")  # fmt: skip
        return UserError("TS-MODEL-002", f"The hub refuses a request for {uri}.", why=why, fix="Check HF_ENDPOINT and the proxy settings.")

    def _near(self, uri: HubURI) -> str:
        try:
            refs = self._read_json(f"{self.client.endpoint}/api/models/{uri.repo}/refs", str(uri))
            names = [str(entry["name"]) for kind in ("branches", "tags") for entry in refs.get(kind) or ()]
        except (TunesmithError, Refused, KeyError, TypeError, ValueError, AttributeError):
            names = ["main"]
        return did_you_mean(uri.revision, names)

    def _read_json(self, url: str, what: str) -> Any:
        return self.read(url, what, lambda response: json.loads(response.read()))
