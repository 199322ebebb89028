"""Rows become the tokens on which quantizers calibrate."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_quantization.calibration import calibration_tokens, joined_sequences
from tunesmith_sdk.testing.datasets import dataset

STEP = SimpleNamespace(name="small", seed=7, check_cancelled=lambda: None)


class LetterTokenizer:
    """A token a letter."""

    chat_template = ""
    special_tokens_map = {"bos_token": "^"}  # noqa: RUF012

    def __call__(self, text, add_special_tokens):
        assert not add_special_tokens, "templates write the special tokens themselves"
        return {"input_ids": [ord(letter) for letter in text]}


def rows(*texts):
    return [{"messages": [message("user", text)]} for text in texts]


@pytest.fixture
def calibrated(tmp_path):
    def tokens(rows, tokenizer, **limits):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return calibration_tokens(dataset(folder, rows), tokenizer, **{"step": STEP, **limits})

    return tokens


def read(tokens):
    return ["".join(map(chr, ids)) for ids in tokens]


def test_rows_are_cut_and_taken_in_their_order_with_the_answers_of_preferences(calibrated):
    given = [*rows("first", "second"), {**rows("q")[0], "chosen": [message("assistant", "a")], "rejected": []}]
    assert read(calibrated(given, LetterTokenizer(), count=3, length=4)) == ["firs", "seco", "q\na"]


def test_rows_are_drawn_by_the_seed_from_all_of_the_data_and_those_without_text_do_not_count(calibrated):
    given = rows(*"abcdefghijklmnopqrst", *[""] * 20)

    def drawn(seed):
        step = SimpleNamespace(name="small", seed=seed, check_cancelled=lambda: None)
        return "".join(read(calibrated(given, LetterTokenizer(), count=5, length=4, step=step)))

    found = {drawn(seed) for seed in range(40)}
    assert drawn(1) == drawn(1)
    assert len(found) > 30
    assert all(len(one) == 5 and list(one) == sorted(one) for one in found)
    assert set("".join(found)) == set("abcdefghijklmnopqrst")


def test_the_models_chat_template_writes_the_rows(calibrated):
    tokenizer = LetterTokenizer()
    tokenizer.chat_template = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    assert read(calibrated(rows("hi"), tokenizer, count=1, length=99)) == ["^<user>hi"]


@pytest.mark.parametrize("given", [None, [], rows("")])
def test_without_a_row_there_is_no_calibration(given, tmp_path):
    with pytest.raises(UserError, match="TS-QUANT-002") as caught:
        calibration_tokens(given if given is None else dataset(tmp_path / "rows", given), LetterTokenizer(), count=9, length=9, step=STEP)
    assert "`data: train.jsonl`" in caught.value.fix


@pytest.mark.parametrize(("length", "expected"), [(2, [[1, 2], [3, 4]]), (5, [[1, 2, 3, 4, 5]]), (9, [[1, 2, 3, 4, 5]])])
def test_rows_are_joined_to_sequences_of_one_length_and_a_rest_is_dropped_unless_it_is_all(length, expected):
    assert joined_sequences([[1], [2, 3, 4], [5]], length) == expected
