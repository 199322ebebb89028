"""HTTP to a registry: what it is asked for, and the tokens that it sends one to fetch.

Source: https://distribution.github.io/distribution/spec/auth/token
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

from tunesmith_hubs import Client, Refused

MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
_ACCEPTED = f"{MANIFEST}, {INDEX}, application/vnd.docker.distribution.manifest.v2+json"


class RegistryClient(Client):
    """A client that answers a registry's challenge once for a request, and keeps the token that it was given."""

    def send(self, method: str, url: str, body: bytes | BinaryIO | None = None, headers: Mapping[str, str] | None = None) -> Any:
        try:
            return super().send(method, url, body, headers)
        except Refused as refusal:
            if refusal.status != 401 or not self._authorized(refusal):
                raise
            if body is not None and not isinstance(body, bytes):
                body.seek(0)
            return super().send(method, url, body, headers)

    def _headers(self, url: str) -> dict[str, str]:
        return {**super()._headers(url), **({"Accept": _ACCEPTED} if "/manifests/" in url else {})}

    def _authorized(self, refusal: Refused) -> bool:
        """Whether a token could be fetched from where the challenge says; it is asked for with a name and a password, or without any."""
        said = refusal.headers.get("WWW-Authenticate") or ""
        asked = dict(re.findall(r'(\w+)="([^"]*)"', said))
        if not said.lower().startswith("bearer ") or not asked.get("realm"):
            return False
        realm = f"{asked.pop('realm')}?{urlencode({name: asked[name] for name in ('service', 'scope') if name in asked})}"
        basic = self._basic if urlsplit(realm).scheme == "https" or urlsplit(realm).hostname in ("127.0.0.1", "localhost") else ""
        helper = Client(realm, {"Authorization": basic} if basic else {}, self._timeout)
        with contextlib.suppress(Refused, ValueError, KeyError, TypeError):
            with helper.open(realm) as answer:
                given = json.loads(answer.read())
            self._credentials = {"Authorization": f"Bearer {given.get('token') or given['access_token']}"}
            return True
        return False

    @property
    def _basic(self) -> str:
        if not hasattr(self, "_kept"):
            said = self._credentials.get("Authorization", "")
            self._kept = said if said.startswith("Basic ") else ""
        return self._kept
