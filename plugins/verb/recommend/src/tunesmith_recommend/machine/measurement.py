"""How fast devices are whose data sheet nobody knows: measured in about a second by who brings their backend, and remembered."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunesmith.contracts import Device
from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.isolation.secret_variables import withheld

if TYPE_CHECKING:
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

FACT, KIND = "measure", "device_backend"
NOTE = "device-speed.json"  #: in the folder of caches
FIGURES = ("flops", "bandwidth")
TIMEOUT = 120  # seconds: a second of measuring, and what the library takes to be imported on a busy machine


class Measured(NamedTuple):
    """Devices by backend, with their figures, and why some have none, a sentence each."""

    devices: Mapping[str, Sequence[Device]]
    remarks: tuple[str, ...] = ()


def measured(registry: Registry, devices: Mapping[str, Sequence[Device]], cache: Path, *, anew: bool = False) -> Measured:
    """The devices of this machine with their speed, where it is not known by name.

    Args:
        cache: folder that remembers figures, of all projects.
        anew: measure again what is remembered.
    """
    note = cache / NOTE
    known = read_note(note)
    known = dict(known) if isinstance(known, Mapping) else {}
    found, remarks, before = {}, [], dict(known)
    for name, here in devices.items():
        record = registry.providers(KIND).get(name)
        if record is None or not here or all(map(_told, here)):
            found[name] = tuple(here)
            continue
        figures, why = _figures(record, here[0], known, anew)
        remarks += [f"how fast {here[0].name} is, is not known: {why}"] if why else []
        found[name] = tuple(_with(device, figures) for device in here)
    if known != before:
        write_note(note, known)
    return Measured(found, tuple(remarks))


def _told(device: Device) -> bool:
    return all(device.facts.get(name) for name in FIGURES)


def _with(device: Device, figures: Mapping[str, Any]) -> Device:
    return device if _told(device) or not figures else replace(device, facts={**device.facts, **figures})


def _figures(record: ProviderRecord, device: Device, known: dict[str, Any], anew: bool) -> tuple[Mapping[str, Any], str]:
    """The figures of a device, or why there are none; `known` gets what is measured."""
    target = str(record.facts.get(FACT) or "")
    if not target:
        return {}, f"no data sheet of it is known, and `{record.name}` has nobody who measures"
    threads = os.environ.get("OMP_NUM_THREADS", "")  # which bounds a training as it bounds what measures
    key = json.dumps([platform.node(), threads, record.name, record.version, device.name, device.cores, *device.dtypes])
    if key in known and not anew:
        return known[key], ""
    said = _ask(target, device.dtypes)
    if "figures" in said:
        known[key] = {name: said["figures"][name] for name in FIGURES if name in said["figures"]}
        return known[key], ""
    if "absent" in said:
        return {}, f"`{said['absent']}`, with which it is measured, is not installed here"
    return {}, str(said["failed"])


def _ask(target: str, dtypes: Sequence[str]) -> Mapping[str, Any]:
    secrets = withheld(os.environ)
    environment = {name: value for name, value in os.environ.items() if name not in secrets}
    command = [sys.executable, "-m", "tunesmith_recommend.machine.measurement_process", target, *dtypes]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if not done.stdout.strip():  # killed, for want of memory say
            last = next(reversed(done.stderr.strip().splitlines()), "")
            return {"failed": f"the process that measures ended with status {done.returncode}" + (f": {last}" if last else "")}
        return dict(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return {"failed": f"measuring it came to no end in {TIMEOUT} seconds"}
    except (OSError, ValueError) as error:
        return {"failed": f"measuring it failed: {error}"}
