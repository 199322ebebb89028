"""What a step finds on its devices: each rank holds what it holds, and ranks that share a device share its memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.contracts.estimates import Estimate
from tunesmith.contracts.kinds.device_backend import Device


@dataclass(frozen=True)
class Capacity:
    """
    Args:
        name: of the device with the least memory; empty where there is none.
        memory, free: its bytes, in all and now; 0 if unknown.
        sharing: ranks that share it.
    """

    name: str = ""
    memory: float = 0.0
    free: float = 0.0
    sharing: int = 1

    @classmethod
    def of(cls, devices: Sequence[Device], ranks: int) -> Capacity:
        """Where so many ranks are spread over the devices."""
        if not devices:
            return cls()
        least = min(devices, key=lambda device: device.memory)
        return cls(least.name, least.memory, min(device.free for device in devices), -(-ranks // len(devices)))

    def needed(self, estimate: Estimate) -> float:
        """Bytes of the device that the ranks on it need, given the estimate of one."""
        return estimate.memory * self.sharing

    def fits(self, estimate: Estimate) -> bool | None:
        """None where it is not known."""
        return self.needed(estimate) <= self.memory if self.memory else None
