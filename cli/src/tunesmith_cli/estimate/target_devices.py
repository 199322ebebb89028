"""What an estimate is held against: the devices that are here, or those that are named."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.errors import UserError, did_you_mean
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.placement.devices import probe
from tunesmith_cli.options.device_catalog import named_cards, of_memory, size_of, unnamed

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry

AUTO = "auto"


@dataclass(frozen=True)
class Place:
    """
    Args:
        devices: by device backend.
        asked: the backend to compute on.
        here: whether they are this machine's.
        told: whether their memory is as the user says.
        note: what was assumed of them.
    """

    devices: Mapping[str, Sequence[Device]]
    asked: str = AUTO
    here: bool = True
    note: str = ""
    told: bool = False


def place_of(args: Namespace, registry: Registry, estimators: Estimators | None = None) -> Place:
    """What `--on`, `--device` and `--memory` name.

    Raises:
        UserError: TS-PLAN-007 for a card or a backend that nobody knows, TS-CLI-002 for a size that is none or options that contradict.
    """
    memory = size_of(args.memory) if args.memory else 0
    place = _named(args, registry, estimators)
    if not memory:
        return place
    return Place({name: of_memory(devices, memory) for name, devices in place.devices.items()}, place.asked, False, place.note, told=True)


def _named(args: Namespace, registry: Registry, estimators: Estimators | None) -> Place:
    if named := named_cards(args, registry):
        backend, cards = named
        if args.device not in (None, AUTO, backend):
            raise UserError("TS-CLI-002", f"--on {args.on} is a card of `{backend}`, not of `{args.device}`", fix="Leave --device out.")
        note = f"of {len(cards)} cards: the figures are those of one, of data sheets, not verified on hardware" if len(cards) > 1 else ""
        return Place({backend: cards}, backend, here=False, note=note)
    found = probe(registry, estimators)
    if args.device in (None, AUTO) or found.get(args.device):
        return Place(found, args.device or AUTO)
    backends = registry.providers("device_backend")
    if args.device not in backends:
        raise UserError("TS-PLAN-007", f"There is no device backend `{args.device}`", fix=did_you_mean(args.device, [*backends, AUTO]))
    device = unnamed(backends[args.device])
    note = f"no such device is here, and none is named: reckoned with one that computes in {', '.join(device.dtypes)} (name it: --on CARD)"
    return Place({args.device: (device,)}, args.device, here=False, note=note)
