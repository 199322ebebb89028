"""Single steps: a pipeline of one step, whose options are the settings of the plugins that take part."""

from __future__ import annotations

import argparse
import stat

import pytest
import yaml

from tunesmith_cli.options.parser import Parser
from tunesmith_cli.options.settings import add_setting, setting_options, settings_given

TAUGHT = ("echo", "--model", "shelf://hello", "--data", "rows.jsonl")


def made(world, *words: str) -> dict:
    """The pipeline that a command stands for."""
    told = world(*words, "--yaml")
    assert told.status == 0, told.err
    return yaml.safe_load(told.out)


def test_options_become_the_step_that_a_pipeline_file_would_have(world):
    found = made(
        world, *TAUGHT, "--adapter", "tilt", "--adapter.angle", "16", "--adapter.side", "right", "--adapter.targets", "q", "k",
        "--adapter.bold", "--adapter.limit", "none", "--adapter.rope.factor", "2.5", "--echo.volume", "5", "--settings.epochs", "2",
        "--learning-rate", "1e-4", "--seed", "7", "--device", "abacus",
    )  # fmt: skip
    tilt = {"angle": 16, "side": "right", "targets": ["q", "k"], "bold": True, "limit": None, "rope": {"factor": 2.5}}
    assert found == {
        "name": "echo", "model": "shelf://hello",
        "steps": {"echo": {
            "teach": {"echo": {"volume": 5}}, "adapter": {"tilt": tilt}, "data": "rows.jsonl",
            "settings": {"epochs": 2, "learning_rate": 1e-4}, "seed": 7, "device": "abacus",
        }},
    }  # fmt: skip


def test_what_is_not_said_is_left_to_the_planner(world):
    assert made(world, *TAUGHT)["steps"]["echo"] == {"teach": "echo", "data": "rows.jsonl"}


def test_several_files_become_a_mixture(world):
    two = ("echo", "--model", "shelf://x", "--data", "a.jsonl", "--data", "b.jsonl")
    assert made(world, *two)["steps"]["echo"]["data"] == ["a.jsonl", "b.jsonl"]
    assert made(world, *two, "--data-weights", "0.7,0.3")["steps"]["echo"]["data"] == {"a.jsonl": 0.7, "b.jsonl": 0.3}
    assert "should be 2 numbers" in world(*two, "--data-weights", "0.7").err
    assert "should be 2 numbers" in world(*two, "--data-weights", "much,more").err


def test_a_setting_of_an_unnamed_slot_names_the_provider_whose_help_was_shown(world):
    assert made(world, *TAUGHT, "--adapter.angle", "3")["steps"]["echo"]["adapter"] == {"tilt": {"angle": 3}}


def test_underscores_are_as_good_as_dashes(world):
    assert made(world, *TAUGHT, "--learning_rate", "0.5") == made(world, *TAUGHT, "--learning-rate=0.5")


def test_a_name_that_two_parts_have_is_only_taken_in_full(world):
    told = world(*TAUGHT, "--epochs", "2")
    assert told.status == 2
    assert "no option `--epochs`" in told.err
    assert made(world, *TAUGHT, "--echo.epochs", "2")["steps"]["echo"]["teach"] == {"echo": {"epochs": 2}}


def test_an_alias_is_an_option_too_and_the_step_has_the_settings_own_name(world):
    found = made(world, *TAUGHT, "--lr", "0.5", "--adapter.target-modules", "q", "--no-adapter.strong")["steps"]["echo"]
    assert found["settings"] == {"learning_rate": 0.5}
    assert found["adapter"] == {"tilt": {"targets": ["q"], "bold": False}}
    assert "also lr" in world("echo", "--help").out


@pytest.mark.parametrize("words", [("--lr", "1", "--learning-rate", "1"), ("--adapter.strong", "--adapter.bold")], ids=str)
def test_two_names_of_a_setting_at_once_are_refused(world, words):
    told = world(*TAUGHT, *words)
    assert told.status == 2
    assert "is the same setting as" in told.err


@pytest.mark.parametrize(
    "words",
    [("--adapter.angle", "3", "--adapter.angle", "4"), ("--adapter.bold", "--no-adapter.bold"), ("--seed", "1", "--seed", "1"),
     ("--adapter", "whole", "--adapter", "tilt"), ("--model", "shelf://bye")],
    ids=str,
)  # fmt: skip
def test_what_takes_one_value_is_refused_when_it_is_given_two(world, words):
    told = world(*TAUGHT, *words)
    assert told.status == 2
    assert f"{words[0]} takes one value and was given" in told.err


def test_a_list_that_is_given_again_has_more_of_it(world):
    found = made(world, *TAUGHT, "--adapter.targets", "q", "k", "--adapter.targets", "v")
    assert found["steps"]["echo"]["adapter"] == {"tilt": {"targets": ["q", "k", "v"]}}
    parser = argparse.ArgumentParser()
    either = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    options = list(setting_options("part", {"properties": {"kind": either}}))
    add_setting(parser.add_argument_group("settings"), options[0])
    for words, value in ((["a"], "a"), (["a", "--part.kind", "b"], ["a", "b"]), (["a", "b", "--part.kind", "c"], ["a", "b", "c"])):
        assert settings_given(parser.parse_args(["--part.kind", *words]), options)["part"]["kind"] == value


def test_an_alias_takes_no_name_from_another_setting(world):
    assert made(world, *TAUGHT, "--volume", "5")["steps"]["echo"]["teach"] == {"echo": {"volume": 5}}
    assert made(world, *TAUGHT, "--settings.volume", "5")["steps"]["echo"]["settings"] == {"learning_rate": 5.0}


def test_a_switch_can_be_turned_off(world):
    assert made(world, *TAUGHT, "--no-adapter.bold")["steps"]["echo"]["adapter"] == {"tilt": {"bold": False}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--adapter.angel", "3"), "Did you mean `--adapter.angle`"),
        (("--adapter.angle", "0"), "at least 1"),
        (("--adapter.angle", "many"), "should be a whole number"),
        (("--adapter.side", "lft"), "Did you mean `left`?"),
        (("--adapter", "titl"), "Did you mean `tilt`?"),
        (("--adapter",), "expected one argument"),
        (("--seed", "x"), "--seed: should be a whole number"),
        (("stray",), "unexpected `stray`"),
        (("--from", "tune"), "given both"),
    ],
)
def test_a_mistake_is_told_with_its_option(world, words, said):
    told = world(*TAUGHT, *words)
    assert told.status == 2
    assert said in told.err


def test_what_a_step_needs_must_be_given(world):
    assert "needs --data (the rows to learn from)" in world("echo", "--model", "shelf://x").err
    assert "needs --model (the model to teach) and --data (the rows to learn from)" in world("echo").err
    assert "needs --model" in world("echo", "--data", "rows.jsonl").err


def test_an_adapter_comes_from_a_step_for_only_that_knows_its_base(world):
    assert "--model" not in world("fold", "--help").out
    assert "needs --from (the adapter)" in world("fold").err
    assert world("fold", "--model", "shelf://x").status == 2


def test_help_shows_the_settings_of_the_provider_that_is_chosen(world):
    auto, whole = world("echo", "--help"), world("echo", "--adapter", "whole", "--help")
    assert (auto.status, whole.status) == (0, 0)
    assert "--adapter.angle N" in auto.out
    assert "how far to tilt (at least 1; default 8)" in auto.out
    assert "left|right" in auto.out
    assert "--[no-]adapter.bold" in auto.out
    assert "100% tilted" in auto.out
    assert "--adapter.angle" not in whole.out
    assert "one of tilt, whole (default: auto)" in whole.out


def test_the_examples_in_the_help_are_complete(world):
    examples = [line.strip() for line in world("echo", "--help").out.splitlines() if line.startswith("  tunesmith echo")]
    assert len(examples) == 3
    for example in examples:
        words = example.replace("file://path/to/model", "shelf://x").split()[1:]
        assert world(*words, *([] if "--yaml" in words else ["--yaml"])).status == 0, example


def test_a_provider_stands_right_after_the_verb(world):
    quantized = made(world, "quantize", "shorter", "--every", "3", "--model", "shelf://hello")
    assert quantized["steps"]["quantize"] == {"quantize": {"shorter": {"every": 3}}}
    scored = made(world, "eval", "letters", "exact_words", "--model", "shelf://hello", "--gate", "letters<=9", "--gate", "words >= 1")
    assert scored["steps"]["eval"] == {"evaluate": ["letters", "exact_words"], "gate": {"letters": "<=9", "words": ">= 1"}}
    assert made(world, "evaluate", "letters", "--model", "shelf://hello") == made(world, "eval", "letters", "--model", "shelf://hello")
    assert "Did you mean `shorter`?" in world("quantize", "shoter", "--model", "shelf://hello").err


def test_a_step_runs_and_its_product_can_be_had(world):
    told = world(*TAUGHT, "--adapter.angle", "5", "--output", "out")
    assert told.status == 0, told.err
    assert "+ echo: done in" in told.out
    assert "echo: loss 0.5, rows 2" in told.out
    copied = world.folder / "out" / "text"
    assert copied.read_text() == "hello5"
    assert copied.stat().st_mode & stat.S_IWUSR, "a copy may be edited"
    copied.write_text("changed")
    again = world(*TAUGHT, "--adapter.angle", "5", "--output", "again")
    assert "= echo: from the cache" in again.out
    assert (world.folder / "again" / "text").read_text() == "hello5", "the store did not change with the copy"


def test_a_home_that_is_a_file_is_told(world):
    world.write("taken", "mine")
    for words in (TAUGHT, ("runs", "list"), ("doctor",)):
        assert "TS-CLI-002: --home taken is no folder" in world(*words, "--home", "taken").err


def test_nothing_is_overwritten(world):
    world.write("taken", "mine")
    assert "TS-CLI-009" in world(*TAUGHT, "--output", "taken").err
    assert "TS-CLI-009" in world(*TAUGHT, "--output", ".").err
    assert "TS-CLI-010" in world(*TAUGHT, "--output", "taken/inside").err
    assert world("runs", "list").out.startswith("Nothing has been run")


def test_a_plan_runs_nothing(world):
    told = world(*TAUGHT, "--plan")
    assert told.status == 0
    assert "teach echo (tilt)" in told.out
    assert world(*TAUGHT, "--plan", "--json").json["steps"][-1]["name"] == "echo"
    assert world("runs", "list", "--json").json == []


def test_a_later_command_takes_up_what_an_earlier_one_made(world):
    world(*TAUGHT)
    told = world("fold", "--from", "echo", "--output", "folded")
    assert told.status == 0, told.err
    assert (world.folder / "folded" / "text").read_text() == "hello8 folded"
    assert told.out.count("from the cache") >= 3
    scored = world("eval", "letters", "--from", "fold")
    assert "  eval  letters\n  fold       13\n" in scored.out
    assert "Did you mean `fold`?" in world("eval", "letters", "--from", "fld").err


def test_a_later_command_takes_up_a_step_of_the_pipeline_file(world):
    world.write("tunesmith.yaml", "model: shelf://hey\nsteps:\n  tune: {teach: echo, data: rows.jsonl}\n  other: {quantize: shorter}\n")
    found = made(world, "fold", "--from", "tune")
    assert list(found["steps"]) == ["tune", "fold"], "what is not needed is left out"
    assert world("fold", "--from", "tune").status == 0
    assert "has no step `tuna`" in world("fold", "--from", "tuna").err


def test_only_inputs_are_taken_for_file_names(world):
    world.write("echo", "a file that has a provider's name")
    assert world(*TAUGHT).status == 0
    assert made(world, "fold", "--from", "echo")["steps"]["echo"] == {"teach": "echo", "data": str(world.folder / "rows.jsonl")}


def test_a_model_may_be_named_beside_steps_that_are_of_it(world):
    world(*TAUGHT, "--as", "wise")
    found = made(world, "spell", "--model", "shelf://hello", "--beside", "wise")
    assert found == made(world, "spell", "--beside", "wise")
    told = world("spell", "--model", "shelf://bye", "--beside", "wise")
    assert (told.status, "`wise` began with shelf://hello, and --model is shelf://bye" in told.err) == (2, True)


FOLLOWED = ("follow", "--model", "shelf://hello", "--data", "rows.jsonl")


def test_a_model_beside_the_one_that_is_worked_on_is_fetched_in_a_step_of_its_own(world):
    found = made(world, *FOLLOWED, "--guide", "shelf://wise")
    assert found["steps"]["guide"] == {"download": "shelf", "settings": {"uri": "shelf://wise"}}
    assert (found["model"], found["steps"]["follow"]["guide"]) == ("shelf://hello", "guide")
    assert world(*FOLLOWED, "--guide", "shelf://wise").status == 0
    assert list(made(world, *FOLLOWED, "--as", "guide", "--guide", "shelf://wise")["steps"]) == ["guide-2", "guide"]
    assert made(world, *FOLLOWED, "--guide", "model")["steps"]["follow"]["guide"] == "model"
    told = world(*FOLLOWED, "--guide", "self://wise")
    assert "no installed model loader serves `self://wise`" in told.err
    assert "Did you mean `shelf://wise`?" in told.err


def test_it_may_be_what_an_earlier_command_made_on_the_same_model(world):
    world(*TAUGHT, "--adapter", "whole", "--as", "wise")
    found = made(world, *FOLLOWED, "--guide", "wise")
    assert (list(found["steps"]), found["steps"]["follow"]["guide"]) == (["wise", "follow"], "wise")
    assert world(*FOLLOWED, "--guide", "wise").status == 0
    other = world("follow", "--model", "shelf://bye", "--data", "rows.jsonl", "--guide", "wise")
    assert (other.status, "`wise` began with shelf://hello, and --model is shelf://bye" in other.err) == (2, True)
    assert "no earlier command here made `wize`" in world(*FOLLOWED, "--guide", "wize").err


def test_what_a_provider_has_no_use_for_is_no_option_of_its_command(world):
    assert "--guide MODEL" in world("follow", "--help").out
    assert "--guide" not in world("echo", "--help").out
    assert "no option `--guide`" in world(*TAUGHT, "--guide", "shelf://wise").err
    assert "--guide MODEL" in world("teach", "--help").out
    assert "needs --guide (the model to follow)" in world(*FOLLOWED).err


def test_a_name_that_is_taken_gets_a_number(world):
    world(*TAUGHT, "--as", "first")
    assert list(made(world, "eval", "letters", "--from", "first", "--as", "first")["steps"]) == ["first", "first-2"]


def test_download_shares_its_step_with_every_pipeline(world):
    assert world("download", "shelf://hello").status == 0
    assert "= model: from the cache" in world(*TAUGHT).out
    assert world("download", "shelf://hello", "--output", "copy").status == 0
    assert (world.folder / "copy" / "text").read_text() == "hello"
    assert world("download", "shelf://hello", "--plan", "--json").json["steps"][0]["cached"] is True
    assert world("download", "shelf://nothing").status == 2


def test_a_failure_of_the_run_is_status_1_and_of_the_user_2(world):
    failed = world(*TAUGHT, "--fail", "run")
    assert failed.status == 1
    assert "TS-RUN-011: the beads fell off" in failed.err
    assert "to go on: tunesmith resume" in failed.out
    assert world(*TAUGHT, "--fail", "user").status == 2


def test_a_verb_without_a_provider_is_not_offered_and_says_why(world):
    assert "  export" not in world("--help").out
    told = world("export", "--model", "shelf://x")
    assert told.status == 2
    assert "needs a plugin that brings an exporter" in told.err


def test_a_setting_that_is_a_word_or_a_list_of_words_takes_both():
    schema = {"properties": {"loss_type": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}}}
    options = list(setting_options("dpo", schema))
    parser = argparse.ArgumentParser()
    for option in options:
        add_setting(parser.add_argument_group("settings"), option, {"dpo.loss-type": "loss-type"})
    for words, value in ((["a"], "a"), (["a", "b"], ["a", "b"]), (['["a", "b"]'], ["a", "b"])):
        assert settings_given(parser.parse_args(["--loss-type", *words]), options) == {"dpo": {"loss_type": value}}


def test_an_option_of_an_open_slot_or_of_another_command_is_answered_with_what_to_write():
    parser = Parser("tunesmith train", "trains.")
    parser.unchosen, parser.elsewhere = {"strategy": {"num-processes": ["ddp", "fsdp"]}}, {"--on": "elsewhere"}
    assert "`--strategy ddp` or `--strategy fsdp`" in parser.unknown_option("--strategy.num_processes").fix
    assert parser.unknown_option("--on").fix == "elsewhere"
