"""What the hub refuses, as coded errors: no such model, a revision that it lacks, gated and private models, a token without access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.errors import TunesmithError, UserError, did_you_mean
from tunesmith_huggingface.http import Refused
from tunesmith_huggingface.uri import HubURI

if TYPE_CHECKING:
    from tunesmith_huggingface.hub import Hub


def hub_error(hub: Hub, refusal: Refused, uri: HubURI) -> TunesmithError:
    """A refusal as a coded error."""
    why = refusal.message + "."
    if refusal.code == "RevisionNotFound":
        return UserError("TS-MODEL-001", f"hf://{uri.repo} has no revision `{uri.revision}`.", why=why, fix=_near(hub, uri))
    if refusal.code == "EntryNotFound":
        return UserError("TS-MODEL-001", f"{uri} lacks a file that it lists.", why=why, fix="Run the command again.")
    if refusal.code == "GatedRepo" or (refusal.status in (401, 403) and hub.client.authenticated and refusal.code != "RepoNotFound"):
        fix = f"Ask for access on {hub.client.endpoint}/{uri.repo}, then set HF_TOKEN to a token that may read it."
        return UserError("TS-MODEL-006", f"The hub refuses access to {uri}.", why=why, fix=fix)
    if refusal.status in (401, 403, 404):
        private = "" if hub.client.authenticated else " If it is private or gated, set HF_TOKEN: without it the hub does not tell."
        return UserError("TS-MODEL-001", f"There is no model {uri} on {hub.client.endpoint}.", why=why,
                         fix=f"Check the spelling: hf://ORG/NAME.{private}")  # fmt: skip
    return UserError("TS-MODEL-002", f"The hub refuses a request for {uri}.", why=why, fix="Check HF_ENDPOINT and the proxy settings.")


def _near(hub: Hub, uri: HubURI) -> str:
    try:
        refs = hub.read_json(f"{hub.client.endpoint}/api/models/{uri.repo}/refs", str(uri))
        names = [str(entry["name"]) for kind in ("branches", "tags") for entry in refs.get(kind) or ()]
    except (TunesmithError, Refused, KeyError, TypeError, ValueError, AttributeError):
        names = ["main"]
    return did_you_mean(uri.revision, names)
