"""Settings of the model loader `oci`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_hubs import HubSettings


@dataclass(frozen=True)
class OCISettings(HubSettings):
    endpoint: str = setting(
        "", "an address that is asked in the registry's place, such as a cache; empty: $TUNESMITH_OCI_ENDPOINT, else the registry itself"
    )
