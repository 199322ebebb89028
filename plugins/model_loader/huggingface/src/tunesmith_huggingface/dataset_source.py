"""Datasets for `hf://datasets/...` addresses."""

from __future__ import annotations

from tunesmith_hubs import HubAddress, HubDatasets
from tunesmith_huggingface.environment_variables import hub_cache
from tunesmith_huggingface.hub import HuggingFaceHub
from tunesmith_huggingface.settings import HuggingFaceSettings


class HuggingFaceDatasets(HubDatasets[HuggingFaceHub]):
    """``hf://datasets/ORG/NAME[@REVISION][:CONFIGURATION/SPLIT]``, or a path in the repository after its name."""

    def __init__(self) -> None:
        settings = HuggingFaceSettings()
        super().__init__(HuggingFaceHub(settings), settings)

    def by_hand(self, at: HubAddress) -> str:
        name = at.repo.removeprefix("datasets/")
        revision = f" --revision {at.revision}" if at.revision != at.latest else ""
        folder = at.repo.replace("/", "--")
        return (
            f"Where {self.hub.client.endpoint} can be reached: `hf download --repo-type dataset {name}{revision}`, then copy the folder "
            f"{folder} of its cache to {hub_cache() / folder}."
        )
