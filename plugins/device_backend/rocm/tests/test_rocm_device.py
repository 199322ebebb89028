"""`recorded` was printed on a real machine, of others, who published it; the other answers are written after rocm-smi's documented form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_rocm.device import COMMAND, Rocm

RECORDED = json.loads((Path(__file__).parent / "recorded" / "4xMI300A.product.json").read_text())
MEMORY = {"VRAM Total Memory (B)": "137438953472", "VRAM Total Used Memory (B)": "1073741824"}
SYSTEM = {"system": {"Driver version": "6.10.5"}}
WHOLE = {name: {**card, **MEMORY} for name, card in RECORDED.items()} | SYSTEM
#: as releases before 6 spell the fields
OLD = {"card1": {"Card series": "N/A", "Card model": "0x73bf", **MEMORY}, "card0": {"Card series": "Radeon RX 6800 XT", **MEMORY}}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))


def probe(cards=WHOLE, before="", **environment):
    return Rocm(lambda *command: before + json.dumps(cards) if command == COMMAND else "", environment).probe()


def test_each_card_is_a_device_with_its_memory_chip_and_number_types():
    first, second = probe()
    assert (first.name, first.memory, first.free) == ("AMD Instinct MI300A", 128 << 30, 127 << 30)
    assert first.dtypes == second.dtypes == ("float32", "float16", "bfloat16")
    assert dict(first.facts) == {"index": "0", "driver": "6.10.5", "chip": "gfx942"}


def test_older_spellings_and_warnings_before_the_answer_are_read():
    first, second = probe(OLD, before="WARNING: AMD GPU device(s) is/are in a low-power state.\n\n")
    assert (first.name, second.name) == ("Radeon RX 6800 XT", "0x73bf")
    assert first.dtypes == ("float32", "float16")


def test_a_card_of_which_no_memory_is_told_is_none():
    assert probe(RECORDED) == []


@pytest.mark.parametrize(
    ("environment", "indices"),
    [
        ({"HIP_VISIBLE_DEVICES": "1"}, ["1"]),
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, ["1", "0"]),
        ({"HIP_VISIBLE_DEVICES": "0", "CUDA_VISIBLE_DEVICES": "1"}, ["0"]),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}, ["1"]),
        ({"HIP_VISIBLE_DEVICES": ""}, []),
        ({"HIP_VISIBLE_DEVICES": "0,7,1"}, ["0"]),
    ],
)
def test_only_visible_devices_count_each_variable_in_what_the_one_before_left(environment, indices):
    assert [device.facts["index"] for device in probe(**environment)] == indices


@pytest.mark.parametrize("text", ["", "no GPU\n", "{", "[]", '{"card0": 3}'])
def test_a_tool_that_answers_something_else_is_no_device_and_no_error(text):
    assert Rocm(lambda *_: text, {}).probe() == []
