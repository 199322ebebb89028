"""Datasets for `modelers://datasets/...` addresses."""

from __future__ import annotations

from tunesmith_hubs import HubAddress, HubDatasets
from tunesmith_modelers.hub import ModelersHub
from tunesmith_modelers.settings import ModelersSettings


class ModelersDatasets(HubDatasets[ModelersHub]):
    """``modelers://datasets/ORG/NAME[@REVISION][:CONFIGURATION/SPLIT]``, or a path in the repository after its name."""

    def __init__(self) -> None:
        settings = ModelersSettings()
        super().__init__(ModelersHub(settings), settings)

    def by_hand(self, at: HubAddress) -> str:
        name = at.repo.removeprefix("datasets/")
        return (
            f'Where {self.hub.client.endpoint} can be reached: `snapshot_download("{name}", repo_type="dataset", local_dir="FOLDER")` '
            "of openmind_hub, then copy the folder here and name its files of rows."
        )
