"""Files as keys with values and lines: commands in shell scripts, YAML, Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.errors import UserError
from tunesmith_import.api import read_configuration


def keys(file: Path, text: str) -> dict[str, tuple[object, int]]:
    file.write_text(text, encoding="utf-8")
    return {entry.key: (entry.value, entry.line) for entry in read_configuration(file).entries}


def test_a_command_over_several_lines_keeps_the_lines_of_its_options(tmp_path: Path):
    text = "# a comment\nexport CUDA_VISIBLE_DEVICES=0\nNPROC_PER_NODE=2 swift sft \\\n"
    text += "  --model-type qwen \\\n  --dataset 'a b#5' c \\\n  --lazy\n"
    assert keys(tmp_path / "a.sh", text) == {"model_type": ("qwen", 4), "dataset": (["a b#5", "c"], 5), "lazy": (True, 6)}
    configuration = read_configuration(tmp_path / "a.sh")
    assert configuration.command == "swift sft"
    assert configuration.environment["NPROC_PER_NODE"] == "2"


def test_variables_of_the_script_are_filled_in(tmp_path: Path):
    assert keys(tmp_path / "a.sh", "LR=1e-4\ntrl sft --learning_rate ${LR} --output_dir $HOME_OF_NOBODY\n") == {
        "learning_rate": (1e-4, 2), "output_dir": ("$HOME_OF_NOBODY", 2),
    }  # fmt: skip


def test_an_option_that_is_given_twice_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="TS-IMPORT-001"):
        keys(tmp_path / "a.sh", "trl sft --lr 1 --lr 2\n")


def test_a_script_without_a_training_or_with_two_is_refused(tmp_path: Path):
    for text in ("echo hello\n", "trl sft --a 1\ntrl dpo --a 1\n"):
        with pytest.raises(UserError, match="TS-IMPORT-001"):
            keys(tmp_path / "a.sh", text)


def test_a_command_that_names_a_file_of_keys_goes_before_it(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("stage: sft\nlearning_rate: 1e-4\n")
    found = keys(tmp_path / "run.sh", "llamafactory-cli train a.yaml learning_rate=2e-4\n")
    assert found == {"stage": ("sft", 1), "learning_rate": (2e-4, 1)}


def test_nested_keys_have_dots_and_lists_of_mappings_numbers(tmp_path: Path):
    text = "datasets:\n  - path: a\n    type: x\n  - path: b\ntrl: {beta: 0.1}\nempty: {}\n"
    assert keys(tmp_path / "a.yaml", text) == {
        "datasets[0].path": ("a", 2), "datasets[0].type": ("x", 3), "datasets[1].path": ("b", 4), "trl.beta": (0.1, 5), "empty": ({}, 6),
    }  # fmt: skip
