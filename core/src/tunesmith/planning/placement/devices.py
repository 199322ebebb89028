"""What this machine computes on, asked of the device backends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.planning.estimates.estimators import Estimators

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


class Devices(dict[str, Sequence[Device]]):
    """Devices by backend that can be used; `warnings` are of backends that could not be asked, and what does not work of a device."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []


def common_types(devices: Sequence[Device]) -> tuple[str, ...]:
    """Number types that all of them compute in natively; of none: the type that everything computes in."""
    types = [device.dtypes for device in devices] or [("float32",)]
    return tuple(name for name in types[0] if all(name in others for others in types))


def probe(registry: Registry, estimators: Estimators | None = None) -> Devices:
    """Ask every device backend what there is. One that fails counts as having nothing, with a warning.

    Args:
        estimators: which are asked for devices, too; default: asked anew.
    """
    estimators = estimators or Estimators()
    found = Devices()
    for name, record in registry.providers("device_backend").items():
        try:
            here = estimators.devices(record)
            found[name] = tuple(device for device in here if device.usable)
            found.warnings += dict.fromkeys(remark for device in here for remark in device.remarks)
        except Exception as error:  # a backend's bug must not keep the others from being used
            found[name] = ()
            found.warnings.append(f"The device backend `{name}` ({record.distribution}) could not be asked: {error}")
    return found
