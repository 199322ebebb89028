"""`recorded` was printed by xpu-smi on a real machine with two Data Center GPUs Max 1100, of others, who published it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_xpu.device import VISIBLE, Xpu

RECORDED = Path(__file__).with_name("recorded")
LIST, DEVICE = (json.loads((RECORDED / name).read_text()) for name in ("2xMax1100.list.json", "Max1100.device.json"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))


def probe(listed=LIST, device=DEVICE, **environment):
    return Xpu(lambda *command: json.dumps(device if "-d" in command else listed), environment).probe()


def test_what_was_recorded_of_two_max_1100_is_two_devices():
    first, second = probe()
    assert (first.name, first.memory, first.free) == ("Intel(R) Data Center GPU Max 1100", 51522830336, 51493543936)
    assert (first.cores, first.dtypes) == (56, ("float32", "float16", "bfloat16"))
    assert [first.facts["index"], second.facts["index"]] == ["0", "1"]
    assert "doctor --self-test" in first.remarks[0]


def test_a_virtual_function_is_no_device_of_its_own():
    listed = {"device_list": [*LIST["device_list"], {"device_id": 2, "device_function_type": "virtual"}]}
    assert len(probe(listed)) == 2


@pytest.mark.parametrize(("mask", "indices"), [("1", ["1"]), ("1,0", ["1", "0"]), ("", []), ("0.1", []), ("9", [])])
def test_only_visible_devices_count(mask, indices):
    assert [device.facts["index"] for device in probe(**{VISIBLE: mask})] == indices


@pytest.mark.parametrize("text", ["", "Level Zero Initialization Error", "[]", '{"error": "no device"}'])
def test_a_tool_that_answers_something_else_is_no_device_and_no_error(text):
    assert Xpu(lambda *_: text, {}).probe() == []


def test_a_device_of_which_no_memory_is_told_is_none():
    assert probe(device={"device_name": "Intel Arc"}) == []
