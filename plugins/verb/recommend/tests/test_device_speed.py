"""How fast devices are: by their data sheets, else measured once in a process of its own, else not known and said so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tunesmith.contracts import Device
from tunesmith_recommend.machine import measurement
from tunesmith_recommend.machine.measurement import measured

ABACUS = Device("abacus", 2**30, 2**29, 7, ("float32", "bfloat16"), {"beads": 91})


@pytest.fixture
def speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Measure the abacus, by whom `tests/made_up_measure.py` has."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def of(who: str, device: Device = ABACUS, **more: object):
        facts = {"measure": f"made_up_measure:{who}"} if who else {}
        record = SimpleNamespace(name="abacus", version="1", facts=facts)
        return measured(SimpleNamespace(providers=lambda kind: {"abacus": record}), {"abacus": [device]}, tmp_path, **more)

    return of


def test_it_is_measured_in_the_dtypes_of_the_device_and_remembered(speed, monkeypatch: pytest.MonkeyPatch):
    found = speed("measure")
    assert found.remarks == ()
    assert found.devices["abacus"][0].facts == {"beads": 91, "flops": {"float32": 7e12, "bfloat16": 7e12}, "bandwidth": 3e11}
    monkeypatch.setattr(measurement, "_ask", lambda *asked: pytest.fail("it was known"))
    assert speed("measure").devices == found.devices
    with pytest.raises(pytest.fail.Exception, match="it was known"):
        speed("measure", anew=True)


def test_what_a_data_sheet_says_is_not_measured(speed):
    known = Device("abacus", 1, 1, 1, facts={"flops": {"float32": 1.0}, "bandwidth": 2.0})
    assert speed("broken", known) == ({"abacus": (known,)}, ())


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("absent", "`a_library_that_nobody_has`, with which it is measured, is not installed here"),
        ("broken", "RuntimeError: the beads are stuck"),
        ("", "`abacus` has nobody who measures"),
    ],
)
def test_where_it_can_not_be_measured_that_is_said(speed, who: str, why: str):
    found = speed(who)
    assert found.devices["abacus"] == (ABACUS,)
    assert why in found.remarks[0]
