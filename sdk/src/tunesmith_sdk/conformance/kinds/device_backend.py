"""Checks of device backends: what they say of this machine, and how lightly."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tunesmith.contracts import Device
from tunesmith.isolation.provider_import import load
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun, check

_HEAVY = ("torch", "transformers", "numpy")


@action("device_backend")
def work(subject: Subject) -> Any:
    """Look what is there."""
    subject.build().probe()


@observer("device_backend")
def observe(subject: Subject) -> dict[str, Any]:
    """What it says of this machine, without how much is free at the moment."""
    return {"devices": [dataclasses.replace(device, free=0) for device in subject.build().probe()]}


def _probed(subject: Subject) -> list[Device]:
    found = list(subject.build().probe())
    wrong = [one for one in found if not isinstance(one, Device)]
    if wrong:
        raise CheckFailed(f"`probe` gives {type(wrong[0]).__name__}, not `Device`", fix="Return records of `tunesmith.contracts.Device`.")
    return found


@check(
    "device_backend.probes",
    kind="device_backend",
    title="what it finds is sound: memory, cores, dtypes, and the same devices when asked again",
)
def probes(subject: Subject) -> Iterator[CheckFailed]:
    if not isinstance(subject.record.facts.get("torch"), str):
        yield CheckFailed("it does not say torch's name for its devices", fix='Declare facts={"torch": ...}.')
    found = _probed(subject)
    for one in found:
        if not (0 <= one.free <= one.memory and one.memory > 0 and one.cores > 0 and one.name and one.dtypes):
            yield CheckFailed(f"of {one.name or 'a device'}: {one.free} of {one.memory} bytes free, {one.cores} cores, {one.dtypes}",
                              fix="Give bytes, at least one core, and `float32` at the least.")  # fmt: skip
        try:
            json.dumps(dict(one.facts))
        except (TypeError, ValueError) as error:
            yield CheckFailed("its facts are no JSON", found=str(error), fix="Give strings and numbers.")
    if [one.name for one in found] != [one.name for one in _probed(subject)]:
        yield CheckFailed("asked twice, it finds other devices", fix="List them in the order of the system.")


@check("device_backend.never-raises", kind="device_backend", title="where a driver or device is missing it finds none, and raises nothing")
def never_raises(subject: Subject) -> None:
    kept = dict(os.environ)
    try:
        os.environ.update({"PATH": "/nowhere", "LD_LIBRARY_PATH": "/nowhere", "CUDA_VISIBLE_DEVICES": "", "ASCEND_RT_VISIBLE_DEVICES": ""})
        _probed(subject)
    except CheckFailed:
        raise
    except Exception as error:
        raise CheckFailed(f"without its tools on the path, `probe` raises {type(error).__name__}", found=str(error),
                          fix="Return an empty list for a machine without the device.") from error  # fmt: skip
    finally:
        os.environ.clear()
        os.environ.update(kept)


@check("device_backend.light", kind="device_backend", title="probing imports only the standard library: the planner does it in the host")
def light(subject: Subject) -> None:
    _probed(subject)
    heavy = [name for name in _HEAVY if name in sys.modules]
    if heavy:
        raise CheckFailed(f"`probe` imports {', '.join(heavy)}", fix="Ask the system's own files or libraries.")


@check("device_backend.computes", kind="device_backend", level="gold", title="torch computes on the devices that it finds")
def computes(subject: Subject) -> None:
    if not _probed(subject):
        raise NotRun("this machine has no such device", where="a machine that has one")
    try:
        import torch
    except ImportError:
        raise NotRun("its environment has no torch", where="pip install 'tunesmith-sdk[torch]'") from None
    name = subject.record.facts["torch"]
    try:
        ones = torch.ones(4, 4, device=name)
        product = float((ones @ ones).sum())
    except RuntimeError as error:
        raise CheckFailed(f"torch does not compute on `{name}`", found=str(error).partition("\n")[0],
                          fix="See whether the fact `torch` is what torch calls these devices.") from error  # fmt: skip
    if product != 64.0:
        raise CheckFailed("a product of matrices comes out wrong", fix="See whether the fact `torch` names this device.")


CASE = {"device": str, "operator": str, "shape": str, "dtype": str, "passed": bool, "why": str}


@check(
    "device_backend.self-test",
    kind="device_backend",
    level="gold",
    title="its self-test passes on the devices that it finds, in each of their dtypes, and sees products that are wrong",
    when=lambda record: bool(record.facts.get("self_test")),
)
def self_test(subject: Subject) -> Iterator[CheckFailed]:
    devices = _probed(subject)
    if not devices:
        raise NotRun("this machine has no such device", where="a machine that has one")
    try:
        computes(subject)
    except CheckFailed as error:
        raise NotRun("torch does not compute on its devices (device_backend.computes)") from error
    cases = _cases(subject, devices)
    for case in cases:
        unlike = [name for name, kind in CASE.items() if not isinstance(case.get(name), kind)]
        if unlike:
            yield CheckFailed(f"a case has no {', '.join(unlike)}", found=str(case), fix="Yield what the contract of the kind names.")
            return
        if not case["passed"]:
            yield CheckFailed(f"{case['operator']} ({case['shape']}) in {case['dtype']} is wrong on {case['device']}", found=case["why"],
                              fix="Leave the dtype out of `dtypes`, or fix the device's library.")  # fmt: skip
    tried = {(case["device"], case["dtype"]) for case in cases}
    missing = [f"{device.name} in {dtype}" for device in devices for dtype in device.dtypes if (device.name, dtype) not in tried]
    if missing:
        yield CheckFailed(
            "it does not try all that `probe` promises", found=", ".join(missing), fix="Try each device in each of its dtypes."
        )
    with _wrong_products():
        spoiled = _cases(subject, devices)
    if all(case["passed"] for case in spoiled):
        yield CheckFailed("with every product of matrices half as large again it finds nothing wrong",
                          fix="Compare with stored answers: `tunesmith_devices.self_test:run` does.")  # fmt: skip


def _cases(subject: Subject, devices: list[Device]) -> list[dict[str, Any]]:
    """Of a self-test whose outcome is remembered for nobody."""
    kept = os.environ.get("TUNESMITH_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNESMITH_CACHE"] = folder
        try:
            tried = load(subject.record.facts["self_test"], subject.record.distribution)
            return list(tried(subject.record.name, subject.record.facts["torch"], devices))
        finally:
            os.environ.pop("TUNESMITH_CACHE")
            if kept is not None:
                os.environ["TUNESMITH_CACHE"] = kept


def _wrong_products() -> Any:
    """While it is entered, torch gives wrong products of matrices, but in float64."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Wrong(TorchDispatchMode):
        def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = operator(*args, **(kwargs or {}))
            product = operator in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default, torch.ops.aten.bmm.default)
            return result * 1.5 if product and result.dtype != torch.float64 else result

    return Wrong()
