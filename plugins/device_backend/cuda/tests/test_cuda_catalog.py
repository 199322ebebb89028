"""The catalogue of cards: figures that are there are whole, with their source, and are those of a card that is here."""

from __future__ import annotations

import json

import pytest

from tunesmith.plugins.manifest import read_manifest
from tunesmith_cuda.device import Cuda
from tunesmith_cuda.device_catalog import FACTS, FILE, catalogue

CARDS = json.loads(FILE.read_text("utf-8"))
SIZED = sorted(name for name, card in CARDS.items() if "tflops" in card)
WANTED = {
    "T4", "V100-16GB", "V100-32GB", "A10", "L4", "L40S", "RTX 3090", "RTX 4090", "A100-40GB", "A100-80GB", "H100-80GB", "H200", "B200",
    "MI300X",
}  # fmt: skip


def test_usual_cards_have_figures():
    assert set(SIZED) >= WANTED


@pytest.mark.parametrize("name", SIZED)
def test_figures_are_whole_and_have_a_source(name):
    card, told = CARDS[name], catalogue()[name]
    assert {"mib", "tflops", "memory_gb_s", "link_gb_s", "node", "host_link_gb_s", "source"} <= card.keys()
    assert set(told["dtypes"]) <= card["tflops"].keys()
    assert card["tflops"]["float32"] < card["tflops"]["float16"]
    facts = told["facts"]
    assert facts["flops"]["float32"] == card["tflops"]["float32"] * 1e12
    assert facts["bandwidth"] == card["memory_gb_s"] * 1e9
    assert facts["link"] <= facts["bandwidth"]


def test_names_are_of_one_card_each():
    names = [name.lower() for title, card in CARDS.items() for name in (title, *card.get("also", ()))]
    assert len(names) == len(set(names))


def test_the_manifest_has_the_catalogue():
    (record,) = read_manifest(FILE.with_name("plugin.toml")).providers
    assert dict(record.facts["cards"]) == catalogue()


def test_a_card_that_is_here_has_the_figures_of_its_name_and_the_machines_own_of_its_node():
    line = "{}, GPU-{}, NVIDIA A100-SXM4-80GB, 81920, 81000, 580.159.03, 8.0\n"
    first, _ = Cuda(lambda fields: line.format(0, "a") + line.format(1, "b"), {}).probe()
    assert first.facts["link"] == catalogue()["A100-80GB"]["facts"]["link"]
    assert first.facts["node"] == 2
    assert first.facts["host"] > 0
    (unknown,) = Cuda(lambda fields: line.format(0, "a").replace("A100-SXM4-80GB", "Z9"), {}).probe()
    assert "flops" not in unknown.facts
    assert set(first.facts) >= {fact for fact, _ in FACTS.values()}
