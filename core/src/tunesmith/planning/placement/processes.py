"""On what and in how many processes a step runs."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.contracts.step import Placement
from tunesmith.planning.placement.devices import common_types
from tunesmith.planning.providers.selection import Selection

STRATEGY = "trainer_strategy"


def placement(selection: Selection, devices: Sequence[Device]) -> Placement:
    """Device and number of processes: as many as the trainer strategy's settings say, by the name that its fact `ranks` gives."""
    strategies = [choice for choice in selection.choices.values() if choice.record.kind == STRATEGY]
    processes = max((choice.record.ranks(choice.settings) for choice in strategies), default=1)
    if selection.device is None:
        return Placement(processes=processes)
    return Placement(
        selection.device.name,
        str(selection.device.facts.get("torch", selection.device.name)),
        processes=processes,
        dtypes=common_types(devices),
    )
