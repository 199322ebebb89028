"""Settings of the model loader `modelscope`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_hubs import HubSettings


@dataclass(frozen=True)
class ModelScopeSettings(HubSettings):
    endpoint: str = setting("", "the hub's address; empty: $MODELSCOPE_ENDPOINT, else $MODELSCOPE_DOMAIN, else https://www.modelscope.cn")
