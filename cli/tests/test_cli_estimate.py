"""`tunesmith estimate`: what is typed, and what is said when it can't be done."""

from __future__ import annotations

import json

import pytest

SIZES = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000}


@pytest.mark.parametrize("words", [("estimate",), ("estimate", "--help")])
def test_without_a_command_it_explains_itself(world, words):
    told = world(*words)
    assert told.status == 0
    assert "tunesmith estimate COMMAND" in told.out


def test_the_options_are_those_of_the_command_and_what_stands_for_the_data(world):
    page = world("estimate", "echo", "--help").out
    assert all(option in page for option in ("--adapter.angle", "--learning-rate", "--length", "--rows", "--model"))
    assert "--gate" not in page


def test_a_command_that_is_none_is_told(world):
    told = world("estimate", "ecco", "--model", "config.json")
    assert told.status == 2
    assert "TS-CLI-001" in told.err


@pytest.mark.parametrize("word", ["org/name", "config.json"])
def test_a_model_in_the_place_of_a_command_is_told_where_it_goes(world, word):
    world.write("config.json", json.dumps(SIZES))
    assert f"--model {word}" in world("estimate", word).err


def test_a_tiny_model_has_its_parameters_counted_and_given_memory_is_said_to_be(world):
    world.write("config.json", json.dumps(SIZES))
    told = world("estimate", "echo", "--adapter", "tilt", "--model", "config.json", "--memory", "5GiB").out
    assert "echo on config.json (" in told
    assert " 0 million" not in told


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e999"])
@pytest.mark.parametrize("command", [("estimate", "echo"), ("echo",)])
def test_a_number_without_end_is_no_setting(world, command, number):
    told = world(*command, "--model", "shelf://hello", f"--learning-rate={number}")
    assert told.status == 2
    assert "should be a finite number" in told.err


def test_options_without_a_command_are_no_help_page(world):
    told = world("estimate", "--model", "config.json")
    assert told.status == 2
    assert "TS-CLI-006" in told.err
    assert "--model config.json" in told.err


def test_a_model_has_to_be_named(world):
    assert "TS-CLI-006" in world("estimate", "echo").err


@pytest.mark.parametrize("text", ["no json", "[]", '{"model_type": "picture"}'])
def test_a_configuration_without_sizes_is_refused(world, text):
    world.write("config.json", text)
    told = world("estimate", "echo", "--model", "config.json")
    assert told.status == 2
    assert "TS-CLI-017" in told.err


def test_what_reads_no_such_model_is_said_not_to_fit(world):
    world.write("config.json", json.dumps(SIZES))
    told = world("estimate", "echo", "--adapter", "tilt", "--model", "config.json")
    assert told.status == 1
    assert "It can't be done like this: its input `model` would not fit" in told.out
