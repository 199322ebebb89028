"""Datasets for `modelscope://datasets/...` addresses."""

from __future__ import annotations

from tunesmith_hubs import HubAddress, HubDatasets
from tunesmith_modelscope.hub import ModelScopeHub
from tunesmith_modelscope.settings import ModelScopeSettings


class ModelScopeDatasets(HubDatasets[ModelScopeHub]):
    """``modelscope://datasets/ORG/NAME[@REVISION][:CONFIGURATION/SPLIT]``, or a path in the repository after its name."""

    def __init__(self) -> None:
        settings = ModelScopeSettings()
        super().__init__(ModelScopeHub(settings), settings)

    def by_hand(self, at: HubAddress) -> str:
        name = at.repo.removeprefix("datasets/")
        return (
            f"Where {self.hub.client.endpoint} can be reached: `modelscope download --dataset {name} --local_dir FOLDER`, then copy the "
            "folder here and name its files of rows."
        )
