"""Loader for `hf://` URIs."""

from __future__ import annotations

from tunesmith_hubs import HubLoader
from tunesmith_huggingface.hub import HuggingFaceHub
from tunesmith_huggingface.settings import HuggingFaceSettings


class HuggingFaceLoader(HubLoader[HuggingFaceHub]):
    """The revision of a model is its commit."""

    def __init__(self, settings: HuggingFaceSettings | None = None) -> None:
        settings = settings or HuggingFaceSettings()
        super().__init__(HuggingFaceHub(settings), settings)
