"""Settings of the model loader `huggingface`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_hubs import HubSettings


@dataclass(frozen=True)
class HuggingFaceSettings(HubSettings):
    endpoint: str = setting("", "the hub's address; empty: $HF_ENDPOINT, else https://huggingface.co")
