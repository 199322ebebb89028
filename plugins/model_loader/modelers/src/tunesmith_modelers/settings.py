"""Settings of the model loader `modelers`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_hubs import HubSettings


@dataclass(frozen=True)
class ModelersSettings(HubSettings):
    endpoint: str = setting("", "the hub's address; empty: $OPENMIND_HUB_ENDPOINT, else https://modelers.cn")
