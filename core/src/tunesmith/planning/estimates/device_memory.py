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
        host: bytes of the host's memory for each device; 0 if unknown.
    """

    name: str = ""
    memory: float = 0.0
    free: float = 0.0
    sharing: int = 1
    host: float = 0.0

    @classmethod
    def of(cls, devices: Sequence[Device], ranks: int) -> Capacity:
        """Where so many ranks are spread over the devices."""
        if not devices:
            return cls()
        least = min(devices, key=lambda device: device.memory)
        free, host = min(device.free for device in devices), float(devices[0].facts.get("host", 0))
        return cls(least.name, least.memory, free, -(-ranks // len(devices)), host)

    def needed(self, estimate: Estimate) -> float:
        """Bytes of the device that the ranks on it need, given the estimate of one."""
        return estimate.memory * self.sharing

    def of_host(self, estimate: Estimate) -> float:
        """Bytes of the host's memory that they need beside."""
        return estimate.host * self.sharing

    def fits(self, estimate: Estimate) -> bool | None:
        """Into the device and its host; None where it is not known."""
        if not self.memory or self.needed(estimate) > self.memory:
            return False if self.memory else None
        return not self.crowds(estimate) or (False if self.host else None)

    def crowds(self, estimate: Estimate) -> bool:
        """Whether it needs more of the host's memory than is known to be there."""
        return self.of_host(estimate) > self.host
