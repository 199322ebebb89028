"""Contract of kind ``device_backend``: what this machine can compute on.

Facts: ``torch`` (torch's name for it); ``visible``, the variable that gives a process some of the devices alone, by their numbers: of a
backend whose devices have memory of their own, which steps that run beside each other share out; ``cards``, a catalogue for machines that
are not here: by name ``mib``, the memory of one as its driver tells it, ``dtypes`` and ``facts`` as in `Device`, and ``also``, other names
of it; the most usual card first; ``measure``, ``package.module:function`` that is given the dtypes of a device whose data sheet is not
known, measures it in about a second and gives its ``flops`` and ``bandwidth`` as in `Device.facts`: `tunesmith probe` calls it, in a
process of its own of the host's environment; it may import what the devices are computed on with, and raises an ImportError where that is
not here; ``self_test``, ``package.module:function`` that is given the backend's name, torch's name for its devices and the devices of
`probe`, tries on each what training and serving compute, forward and backward, in each of its dtypes, and yields a mapping a case:
``device``, ``operator``, ``shape``, ``dtype``, ``passed`` and ``why`` (empty where it passed). It remembers the outcome by device and
version of the library, so that `probe` takes it into account (see `Device.remarks`); ``tunesmith doctor --self-test`` calls it, in a
process of its own like ``measure``. Beside the backend's own capabilities, a need of ``device_backend`` is met by what `probe` finds:
``dtype.<name>`` (every device computes in it natively), ``devices.many`` (there are two or more). The planner calls `probe` in a helper
process of the host's environment, with some seconds' time: it must import only the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Device:
    """One device.

    Args:
        name: as its vendor calls it.
        memory: total bytes that a process may use.
        free: bytes free now.
        cores: physical cores or multiprocessors.
        dtypes: dtypes it computes in natively (``float32``, ``bfloat16``).
        facts: anything else worth showing (driver, instruction sets). Estimates of time read, as the vendor's data sheet says: ``flops``,
            dtype -> matrix operations in a second; ``bandwidth``, bytes a second of its memory; ``link``, ``network`` and ``host_link``,
            bytes a second that it sends to others of its node, to other nodes, to its host; ``node``, how many are in a node; and
            ``host``, bytes of the host's memory for each.
        remarks: what of it does not work as it should, a sentence each; plans warn of it. Of a type of numbers in which it computed
            something wrong it tells here, and leaves it out of `dtypes`.
        usable: False: it is here, but nothing is computed on it, and `remarks` say why. Plans take another device, or refuse.
    """

    name: str
    memory: int
    free: int
    cores: int
    dtypes: tuple[str, ...] = ("float32",)
    facts: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    usable: bool = True


class DeviceBackend(Protocol):
    def probe(self) -> Sequence[Device]:
        """The devices of this kind that are here; empty if none. Never raises for a machine without them."""
