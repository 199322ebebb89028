"""Mistakes in a pipeline file: told with the line before anything is begun; where a name is offered, writing it fixes the file."""

from __future__ import annotations

import json

import pytest

BEGIN = "name: bot\nmodel: file://model\nsteps:\n"
TUNE = "  tune: {train: sft, adapter: {lora: {r: 4}}, data: train.jsonl}\n"

# what is misspelt, the pipeline with it, the code; the message offers the right word
MISSPELT = {
    "a provider": ("sftt", BEGIN + TUNE.replace("sft", "sftt"), "TS-PLUGIN-001"),
    "a provider with settings": ("lorra", BEGIN + TUNE.replace("lora", "lorra"), "TS-PLUGIN-001"),
    "a verb": ("trian", BEGIN + TUNE.replace("train:", "trian:"), "TS-PLUGIN-001"),
    "a setting of a provider": ("dropuot", BEGIN + TUNE.replace("r: 4", "dropuot: 0.1"), "TS-SPEC-020"),
    "a setting of the verb": ("epoch", BEGIN + TUNE.replace("}\n", ", settings: {epoch: 3}}\n"), "TS-SPEC-020"),
    "a key of the pipeline": ("modle", BEGIN.replace("model:", "modle:") + TUNE, "TS-SPEC-004"),
    "a key of a step": ("adaptor", BEGIN + TUNE.replace("adapter", "adaptor"), "TS-SPEC-004"),
    "a step in from": ("tnue", BEGIN + TUNE + "  m: {merge: {}, from: tnue}\n", "TS-SPEC-009"),
    "a step in needs": ("tnue", BEGIN + TUNE + "  q: {quantize: bitsandbytes, needs: tnue}\n", "TS-SPEC-009"),
    "a metric in a gate": (
        "perplexty",
        BEGIN + TUNE + '  e: {evaluate: perplexity, from: tune, data: train.jsonl, gate: {perplexty: "< 9"}}\n',
        "TS-SPEC-012",
    ),
    "a device": ("cqu", "device: cqu\n" + BEGIN + TUNE, "TS-PLAN-007"),
    "a model's scheme": ("fille://model", BEGIN.replace("file:", "fille:") + TUNE, "TS-SPEC-013"),
    "a model's directory": ("modl", BEGIN.replace("//model", "//modl") + TUNE, "TS-MODEL-001"),
    "a data file": ("trian.jsonl", BEGIN + TUNE.replace("train.jsonl", "trian.jsonl"), "TS-DATA-001"),
}


@pytest.mark.parametrize("what", MISSPELT)
def test_what_is_misspelt_is_named_with_its_line_and_the_offer_fixes_it(what: str, project) -> None:
    word, text, code = MISSPELT[what]
    project.pipeline(text)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if word in line)
    answer = project("run")
    assert (answer.status, answer.codes[0]) == (2, code), answer.err
    assert f"tunesmith.yaml:{line}: " in answer.err
    assert word in answer.err
    assert not project.begun
    project.pipeline(text.replace(word, answer.offers[0]))
    project.plans()


WRONG = {
    "a step there twice": (BEGIN + TUNE + TUNE, "TS-SPEC-003", ["tunesmith.yaml:5", "`tune`", "line 4"]),
    "a setting there twice": (BEGIN + TUNE.replace("r: 4", "r: 4, r: 8"), "TS-SPEC-003", ["tunesmith.yaml:4", "`r`"]),
    "a cycle": (
        BEGIN + "  a: {merge: {}, from: b}\n  b: {merge: {}, from: a}\n",
        "TS-SPEC-010",
        ["tunesmith.yaml:4", "a -> b -> a"],
    ),
    "a step that waits for itself": (BEGIN + "  a: {merge: {}, from: a}\n", "TS-SPEC-010", ["a -> a"]),
    "two verbs": (BEGIN + TUNE.replace("train: sft", "train: sft, merge: {}"), "TS-SPEC-006", ["`tune` has 2 verbs: train, merge"]),
    "no verb": (BEGIN + "  tune: {adapter: lora, data: train.jsonl}\n", "TS-SPEC-006", ["`tune` has no verb", "or `train`"]),
    "only a name": (BEGIN + "  tune:\n", "TS-SPEC-005", ["`tune`", "verb"]),
    "an open bracket": (BEGIN + TUNE.replace("}}", "}") + "  m: {merge: {}}\n", "TS-SPEC-002", ["tunesmith.yaml:", "not YAML"]),
    "a tab": (BEGIN + "\ttune: {train: sft}\n", "TS-SPEC-002", ["tunesmith.yaml:4:1", "Indent with spaces"]),
    "nothing": ("", "TS-SPEC-005", ["holds no pipeline", "steps:"]),
    "no steps": ("name: bot\nsteps: {}\n", "TS-SPEC-005", ["there are no steps"]),
    "a number as text": (
        BEGIN + TUNE.replace("}\n", ", settings: {num_train_epochs: three}}\n"),
        "TS-SPEC-020",
        ["`steps.tune.settings.num_train_epochs`", "a number"],
    ),
    "a value out of bounds": (BEGIN + TUNE.replace("r: 4", "r: 0"), "TS-SPEC-020", ["`steps.tune.adapter.lora.r`", "at least 1"]),
    "settings beside their provider": (
        BEGIN + "  tune:\n    train: sft\n    adapter:\n      lora:\n      r: 4\n    data: train.jsonl\n",
        "TS-SPEC-008",
        ["`{lora: {setting: value}}`"],
    ),
    "a provider where the verb belongs": (BEGIN + "  tune: {sft: {}, data: train.jsonl}\n", "TS-PLUGIN-001", ["`train: sft`"]),
    "a bound that is none": (
        BEGIN + TUNE + "  e: {evaluate: perplexity, from: tune, data: train.jsonl, gate: {perplexity: 9}}\n",
        "TS-SPEC-011",
        ['"<= 9"'],
    ),
    "a step called like the model": (BEGIN + TUNE.replace("tune:", "model:"), "TS-SPEC-007", ["`model`"]),
    "no data": (BEGIN + "  tune: {train: sft}\n", "TS-PLAN-010", ["`tune` has no `data`", "`data: ...`"]),
    "no model": ("steps:\n" + TUNE, "TS-PLAN-010", ["`from`", "`model`"]),
    "a device that is not here": (BEGIN + TUNE.replace("}\n", ", device: cuda}\n"), "TS-PLAN-007", ["`cuda`"]),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_is_named_with_what_to_do(what: str, project) -> None:
    text, code, says = WRONG[what]
    project.pipeline(text)
    project.refuses(codes=code, says=says)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(project) -> None:
    project.pipeline(
        "nmae: bot\nmodel: file://nowhere\nsteps:\n  a: {trian: sft}\n"
        "  b: {train: sft, adapter: lorra, data: gone.jsonl, settings: {epoch: 1}}\n"
    )
    answer = project.refuses(
        codes=["TS-SPEC-004", "TS-MODEL-001", "TS-PLUGIN-001", "TS-SPEC-020", "TS-PLUGIN-001", "TS-DATA-001"],
        says=["`nmae`", "6 problems, all found before anything was run"],
    )
    lines = [int(line.split("tunesmith.yaml:")[1].split(":")[0]) for line in answer.err.splitlines() if "tunesmith.yaml:" in line]
    assert lines == sorted(lines)


def test_a_program_reads_the_same_as_json(project) -> None:
    project.pipeline(BEGIN + TUNE.replace("sft", "sftt").replace("lora", "lorra"))
    answer = project("run", "--json")
    assert (answer.status, answer.err) == (2, "")
    (event,) = [json.loads(line) for line in answer.out.splitlines()]
    assert [problem["code"] for problem in event["error"]["problems"]] == ["TS-PLUGIN-001", "TS-PLUGIN-001"]
    assert all(problem["fix"] and problem["user"] for problem in event["error"]["problems"])


COMMANDS = {
    "a command": (("sftt",), "TS-CLI-001", "`tunesmith sft`"),
    "a provider": (("sft", "--model", "file://model", "--data", "train.jsonl", "--adapter", "lorra"), "TS-PLUGIN-001", "`lora`"),
    "a setting of a provider": (("sft", "--adapter", "lora", "--adapter.dropuot", "0.1"), "TS-CLI-002", "`--adapter.dropout`"),
    "a setting": (("sft", "--epoch", "3"), "TS-CLI-002", "`--epochs`"),
    "a file": (("run", "tunesmit.yaml"), "TS-SPEC-001", "`tunesmith.yaml`"),
    "a data file": (("sft", "--model", "file://model", "--data", "trian.jsonl"), "TS-DATA-001", "`train.jsonl`"),
    "a model": (("serve", "--model", "file://modl"), "TS-MODEL-001", "`model`"),
    "a step": (("merge", "--from", "tnue", "--pipeline", "tunesmith.yaml"), "TS-CLI-008", "`tune`"),
    "a subcommand": (("plugin", "lsit"), "TS-CLI-001", "`tunesmith plugin list`"),
    "a plugin": (("plugin", "info", "lorra"), "TS-PLUGIN-001", "`lora`"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_what_is_misspelt_on_the_command_line_is_named_with_an_offer(what: str, project) -> None:
    words, code, offer = COMMANDS[what]
    project.refuses(*words, codes=code, says=[f"Did you mean {offer}"])


def test_a_value_that_does_not_fit_an_option_names_it(project) -> None:
    project.refuses("serve", "--model", "file://model", "--port", "99999", codes="TS-CLI-002", says=["--port", "at most 65535"])


def test_a_providers_name_in_the_wrong_place_is_told_the_right_one(project) -> None:
    words = ("eval", "--model", "file://model", "--data", "train.jsonl", "--plan")
    project.refuses(*words, "perplexity", codes="TS-CLI-002", says=["`tunesmith eval perplexity ...`"])
    assert project("eval", "perplexity", *words[1:]).status == 0


def test_no_pipeline_here(project) -> None:
    (project.folder / "tunesmith.yaml").rename(project.folder / "bot.yaml")
    project.refuses("plan", codes="TS-CLI-005", says=["Name one: bot.yaml"])
