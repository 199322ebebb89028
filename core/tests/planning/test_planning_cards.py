"""Devices that are not here are found by name in what device backends have as data."""

import json
from argparse import Namespace

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_cli.estimate.target_devices import place_of
from tunesmith_cli.options.device_catalog import MOST, card, of_memory, size_of


def args(on="", memory="", device=None, cards=None):
    return Namespace(on=on, memory=memory, device=device, cards=cards)


@pytest.mark.parametrize(("text", "count", "mib"), [("Loom 9", 1, 1024), ("loom9", 1, 1024), ("4xLoom-9", 4, 1024), ("loom 1 mini", 1, 16)])
def test_a_card_is_found_however_its_name_is_typed(world, text, count, mib):
    backend, devices = card(world(), text)
    assert (backend, len(devices), devices[0].memory) == ("loom", count, mib << 20)


@pytest.mark.parametrize("text", ["8x4090", "8 x 4090", "8*4090"])
def test_a_name_of_digits_alone_is_counted_too(world, tmp_path, text):
    file = tmp_path / "cards.json"
    file.write_text(json.dumps({"4090": {"backend": "loom", "mib": 24}}))
    assert len(card(world(), text, str(file))[1]) == 8
    assert len(card(world(), "4090", str(file))[1]) == 1


def test_a_card_that_nobody_knows_is_told_with_those_that_are_near(world):
    with pytest.raises(TunesmithError, match="TS-PLAN-007") as caught:
        card(world(), "Loom 8")
    assert "`Loom 9`" in caught.value.fix
    assert "--memory" in caught.value.fix


def test_no_cards_at_all_are_no_card_that_nobody_knows(world):
    with pytest.raises(TunesmithError, match="TS-CLI-002") as caught:
        card(world(), "0xLoom 9")
    assert "Loom 9" in caught.value.fix


def test_more_cards_than_a_plan_looks_at_are_refused(world):
    assert len(card(world(), f"{MOST}xLoom 9")[1]) == MOST
    with pytest.raises(TunesmithError, match=f"TS-CLI-002.*at most {MOST}"):
        card(world(), "100000xLoom 9")


def test_of_several_cards_it_is_said_that_the_figures_are_of_one(world):
    assert place_of(args(on="4xLoom 9"), world()).note.startswith("of 4 cards: the figures are those of one")
    assert not place_of(args(on="Loom 9"), world()).note


@pytest.mark.parametrize(
    ("text", "size"), [("24GiB", 24 << 30), ("24 GB", 24 * 10**9), ("24G", 24 << 30), ("0.5gib", 1 << 29), ("512MiB", 512 << 20), ("9B", 9)]
)
def test_an_amount_of_memory_is_read(text, size):
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "0", "-1GiB", "24 apples", "24"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(TunesmithError, match="TS-CLI-002"):
        size_of(text)


def test_a_named_card_stands_in_for_what_is_here(world):
    place = place_of(args("2xLoom 9", "2GiB"), world())
    assert (place.asked, place.here) == ("loom", False)
    assert [device.memory for device in place.devices["loom"]] == [2 << 30] * 2
    assert [device.dtypes for device in place.devices["loom"]] == [("float32", "bfloat16")] * 2


def test_of_a_device_that_is_not_here_and_has_no_name_the_memory_is_not_known_and_that_is_said(world):
    place = place_of(args(device="loom"), world())
    (device,) = place.devices["loom"]
    assert (place.asked, place.here, device.memory, device.dtypes) == ("loom", False, 0, ("float32", "bfloat16"))
    assert "--on" in place.note
    assert of_memory((device,), 5)[0].free == 5


def test_a_backend_that_is_none_and_a_card_of_another_one_are_refused(world):
    with pytest.raises(TunesmithError, match="TS-PLAN-007"):
        place_of(args(device="lom"), world())
    with pytest.raises(TunesmithError, match="TS-CLI-002"):
        place_of(args("Loom 9", device="abacus"), world())


OWN = {"Loom 9": {"backend": "loom", "mib": 2, "facts": {"flops": {"float32": 1e12}}, "also": ["the new one"]}}


def test_a_file_of_ones_own_goes_before_what_backends_know(world, tmp_path):
    file = tmp_path / "cards.json"
    file.write_text(json.dumps(OWN))
    (device,) = place_of(args("The New One", cards=str(file)), world()).devices["loom"]
    assert (device.name, device.memory, device.facts) == ("Loom 9", 2 << 20, {"flops": {"float32": 1e12}})
    assert card(world(), "Loom-1 Mini", str(file))[1][0].memory == 16 << 20


@pytest.mark.parametrize(("text", "code"), [
    ("[]", "TS-CLI-002"), ("{", "TS-CLI-002"), ('{"a": {"backend": "loom"}}', "TS-CLI-002"),
    ('{"a": {"backend": "loom", "mib": 1, "facts": {"flop": {}}}}', "TS-CLI-002"), ('{"a": {"backend": "lom", "mib": 1}}', "TS-PLAN-007"),
])  # fmt: skip
def test_a_file_that_is_no_catalogue_is_refused(world, tmp_path, text, code):
    file = tmp_path / "cards.json"
    file.write_text(text)
    with pytest.raises(TunesmithError, match=code):
        card(world(), "a", str(file))


def test_a_file_without_a_card_of_it_is_refused(world):
    with pytest.raises(TunesmithError, match="TS-CLI-002"):
        place_of(args(cards="cards.json"), world())
