"""What a word was meant to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import did_you_mean
from tunesmith.spelling import edits, near

COMMANDS = [
    "plan", "run", "resume", "chat", "estimate", "data", "runs", "doctor", "env", "plugin", "train", "teach", "download", "merge",
    "quantize", "eval", "export", "serve",
]  # fmt: skip
OPTIONS = [
    "--model", "--data", "--epochs", "--learning-rate", "--micro-batch", "--max-length", "--adapter.r", "--adapter.alpha",
    "--adapter.dropout", "--seed", "--json", "--output", "--offline", "--yaml", "--weight-decay", "--from", "--plan", "--strict",
]  # fmt: skip

#: slips of people's fingers, and words that other tools use, with what they were meant to be
MEANT = [
    ("rnu", COMMANDS, "run"), ("trian", COMMANDS, "train"), ("tain", COMMANDS, "train"), ("sevre", COMMANDS, "serve"),
    ("serv", COMMANDS, "serve"), ("dowload", COMMANDS, "download"), ("quantise", COMMANDS, "quantize"), ("quant", COMMANDS, "quantize"),
    ("pulgin", COMMANDS, "plugin"), ("evaluate", COMMANDS, "eval"), ("finetune", COMMANDS, "train"), ("fine-tune", COMMANDS, "train"),
    ("infer", COMMANDS, "chat"), ("generate", COMMANDS, "chat"), ("pull", COMMANDS, "download"), ("convert", COMMANDS, "export"),
    ("deploy", COMMANDS, "serve"), ("--modle", OPTIONS, "--model"), ("--epoch", OPTIONS, "--epochs"), ("--lr", OPTIONS, "--learning-rate"),
    ("--lerning_rate", OPTIONS, "--learning-rate"), ("--num_train_epochs", OPTIONS, "--epochs"), ("--rank", OPTIONS, "--adapter.r"),
    ("--batch-size", OPTIONS, "--micro-batch"), ("--cutoff-len", OPTIONS, "--max-length"), ("--max-seq-length", OPTIONS, "--max-length"),
    ("--dropout", OPTIONS, "--adapter.dropout"), ("--adapter.dropuot", OPTIONS, "--adapter.dropout"), ("--out", OPTIONS, "--output"),
]  # fmt: skip

#: for which any offer would only lead astray
STRANGE = [
    ("sweep", COMMANDS), ("agent", COMMANDS), ("push", COMMANDS), ("rag", COMMANDS), ("cluster", COMMANDS), ("notebook", COMMANDS),
    ("--bf16", OPTIONS), ("--gpus", OPTIONS), ("--deepspeed", OPTIONS), ("--wandb", OPTIONS), ("x", ["y"]), ("", COMMANDS), ("--", OPTIONS),
]  # fmt: skip


@pytest.mark.parametrize(("word", "known", "meant"), MEANT, ids=lambda value: value if isinstance(value, str) else "")
def test_what_was_meant_is_offered_alone(word: str, known: list[str], meant: str) -> None:
    assert near(word, known) == [meant]


@pytest.mark.parametrize(("word", "known"), STRANGE, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_near_to_nothing_gets_no_guess(word: str, known: list[str]) -> None:
    assert near(word, known) == []
    assert did_you_mean(word, known).startswith("Known: ")


@given(st.text("abcde-", min_size=4, max_size=20), st.data())
def test_one_slip_anywhere_is_seen(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 2))
    swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    for slip in (name[:at] + name[at + 1 :], name[:at] + "z" + name[at:], name[:at] + "z" + name[at + 1 :], swapped):
        assert edits(slip, name, 3) == edits(name, slip, 3) <= 1


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 4))
def test_the_limit_spares_work_and_changes_no_answer_below_it(one: str, other: str, limit: int) -> None:
    whole = edits(one, other, 99)
    assert min(edits(one, other, limit), limit + 1) == min(whole, limit + 1)
