"""Loader for `modelers://` URIs."""

from __future__ import annotations

from tunesmith_hubs import HubLoader
from tunesmith_modelers.hub import ModelersHub
from tunesmith_modelers.settings import ModelersSettings


class ModelersLoader(HubLoader[ModelersHub]):
    """The revision of a model is the commit that its branch or tag stands for."""

    def __init__(self, settings: ModelersSettings | None = None) -> None:
        settings = settings or ModelersSettings()
        super().__init__(ModelersHub(settings), settings)
