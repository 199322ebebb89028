"""`recorded` was printed on real machines, of others, who published it; the other answers are written after npu-smi's documented form."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tunesmith_ascend.device import VISIBLE, Npu
from tunesmith_ascend.device_catalog import CARDS

NAMES = """\
        NPU ID                         Chip ID                        Chip Logic ID                  Chip Name
        0                              0                              0                              Ascend 910B3
        0                              1                              -                              Mcu
        1                              0                              1                              Ascend 910A
        1                              1                              -                              Mcu
"""
USAGES = """\
        NPU ID                         : 0
        Chip ID                        : 0
        HBM Capacity(MB)               : 65536
        HBM Usage Rate(%)              : 5
        Aicore Usage Rate(%)           : 0
"""


RECORDED = Path(__file__).with_name("recorded")
#: a super node's, with a column more
NAMES_WITH_PHYSICAL_NUMBERS = """\
  NPU ID    Chip ID    Chip Logic ID    Chip Phy-ID    Chip Name
  0         0          0                10             Ascend910
  0         1          1                11             Ascend910
  0         2          -                -              Mcu
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))


def probe(usages=USAGES, names=NAMES, **environment):
    return Npu(lambda *words: names if words[-1] == "-m" else usages, environment).probe()


def test_what_was_recorded_of_eight_910b4_is_eight_devices():
    found = probe((RECORDED / "910B.usages.txt").read_text(), (RECORDED / "8x910B4.mapping.txt").read_text())
    assert [device.facts["index"] for device in found] == [str(number) for number in range(8)]
    assert {(device.name, device.memory, device.free) for device in found} == {("Ascend 910B4", 65536 << 20, (65536 << 20) * 96 // 100)}
    assert found[0].dtypes == ("float32", "float16", "bfloat16")


def test_a_column_with_physical_numbers_is_no_part_of_the_name():
    assert [device.name for device in probe(names=NAMES_WITH_PHYSICAL_NUMBERS)] == ["Ascend910"] * 2


def test_a_plan_is_told_that_nothing_was_tried_on_it_yet():
    assert "doctor --self-test" in probe()[0].remarks[0]


def test_each_chip_is_a_device_with_its_memory_and_number_types():
    first, second = probe()
    assert (first.name, first.memory, first.free) == ("Ascend 910B3", 65536 << 20, (65536 << 20) * 95 // 100)
    assert first.dtypes == ("float32", "float16", "bfloat16")
    assert second.dtypes == ("float32", "float16")


@pytest.mark.parametrize(("chosen", "names"), [("1", ["Ascend 910A"]), ("1,0", ["Ascend 910A", "Ascend 910B3"]), ("", []), ("7", [])])
def test_only_visible_devices_count(chosen, names):
    assert [device.name for device in probe(**{VISIBLE: chosen})] == names


def test_a_chip_of_which_no_memory_is_told_is_none():
    assert probe("no such chip\n") == []


@pytest.mark.parametrize("script", ["exit 9", "echo boom >&2; exit 1", "exec sleep 60"])
def test_a_tool_that_fails_or_hangs_is_no_device_and_no_error(tmp_path, monkeypatch, script):
    tool = tmp_path / "npu-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.defpath)
    monkeypatch.setattr("tunesmith_devices.vendor_tools.TIMEOUT", 0.2)
    assert Npu(environment={}).probe() == []


def test_cards_say_their_source_and_no_speed_that_nobody_could_read():
    assert all(card["facts"]["source"] and "flops" not in card["facts"] for card in CARDS.values())
