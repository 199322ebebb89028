"""Loader for `oci://` URIs."""

from __future__ import annotations

from tunesmith_hubs import HubLoader
from tunesmith_oci.hub import OCIHub
from tunesmith_oci.settings import OCISettings


class OCILoader(HubLoader[OCIHub]):
    """The revision of a model is the digest of its manifest."""

    def __init__(self, settings: OCISettings | None = None) -> None:
        settings = settings or OCISettings()
        super().__init__(OCIHub(settings), settings)
