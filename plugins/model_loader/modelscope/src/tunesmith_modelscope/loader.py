"""Loader for `modelscope://` URIs."""

from __future__ import annotations

from tunesmith_hubs import HubLoader
from tunesmith_modelscope.hub import ModelScopeHub
from tunesmith_modelscope.settings import ModelScopeSettings


class ModelScopeLoader(HubLoader[ModelScopeHub]):
    """The revision of a model is a digest over its files: ModelScope tells no commit of a branch."""

    def __init__(self, settings: ModelScopeSettings | None = None) -> None:
        settings = settings or ModelScopeSettings()
        super().__init__(ModelScopeHub(settings), settings)
