"""`tunesmith doctor --self-test`: what training computes, tried on each device of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tunesmith_cli.text_tables import columns
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.translation.catalogs import translated

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.device_backend import Device
    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

FACT, KIND = "self_test", "device_backend"
TIMEOUT = 900  # seconds: a minute on a machine that is not busy, and what a first use of an accelerator compiles


def self_tests(registry: Registry) -> dict[str, Any]:
    """By backend that has devices here: ``cases``, ``seconds``, and ``problem``, why it came to no end (empty where it did)."""
    from tunesmith.planning.estimates.estimators import Estimators, NoEstimate

    asked, found = Estimators(), {}
    for name, record in registry.providers(KIND).items():
        try:
            devices = asked.devices(record)  # those, too, that an earlier outcome keeps from being used
        except NoEstimate:
            continue  # `doctor` tells of it
        if devices:
            found[name] = _tested(record, devices)
    return found


def _tested(record: ProviderRecord, devices: Sequence[Device]) -> dict[str, Any]:
    from tunesmith.isolation.secret_variables import withheld

    target = record.facts.get(FACT)
    if not target:
        return {"cases": [], "seconds": 0.0, "problem": f"the device backend `{record.name}` has no self-test"}
    secrets = withheld(os.environ)
    environment = {name: value for name, value in os.environ.items() if name not in secrets}
    command = [sys.executable, "-m", "tunesmith_cli.self_test_process", target, record.name, str(record.facts.get("torch", record.name))]
    given, begun = json.dumps([asdict(device) for device in devices]), time.monotonic()
    try:
        done = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        last = lines.pop() if lines and "operator" not in lines[-1] else {"failed": _ended(done.returncode, lines)}
    except subprocess.TimeoutExpired:
        lines, last = [], {"failed": f"it came to no end in {TIMEOUT} seconds"}
    problem = f"`{last['absent']}`, which it computes with, is not installed here" if "absent" in last else last.get("failed", "")
    if problem:
        problem = f"the self-test of `{record.name}` was not made: {problem}"
    return {"cases": lines, "seconds": round(time.monotonic() - begun, 1), "problem": problem}


def _ended(status: int, cases: Sequence[Mapping[str, Any]]) -> str:
    after = f" after {cases[-1]['operator']} ({cases[-1]['shape']}, {cases[-1]['dtype']})" if cases else ""
    return f"its process ended with status {status}{after}"


def self_test_text(found: Mapping[str, Any]) -> list[str]:
    """Lines of the page: how many cases are right of each device and type of numbers, and every one that is wrong."""
    lines, rows = ["", _("self-test")], []
    wrong: list[str] = []
    for name, tested in found.items():
        counts: dict[tuple[str, str], list[bool]] = {}
        for case in tested["cases"]:
            counts.setdefault((case["device"], case["dtype"]), []).append(case["passed"])
            if not case["passed"]:
                wrong.append(f"  {name}  {case['dtype']}  {case['operator']} ({case['shape']}): {case['why']}")
        rows += [
            (name, device, dtype, _("{right} of {count} right", right=sum(passed), count=len(passed)))
            for (device, dtype), passed in counts.items()
        ]
        wrong += [f"  {translated(tested['problem'])}"] if tested["problem"] else []
    return [*lines, columns(rows, "  ") if rows else f"  {_('none')}", *wrong]
