"""Rows become tokens once, on the disk; what is trained on of them is told before training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import message
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_sft.settings import SupervisedSettings
from tunesmith_torch.api import Asks, Group, LossSum, TokenSequence
from tunesmith_torch.api.objective import Medium
from tunesmith_torch.data.tokenization import KEPT, tokenize
from tunesmith_torch.data.tokenized_dataset import TokenizedDataset, TokenizedDatasetWriter
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
from tunesmith_torch.data.tokenizer.loader import load_tokenizer
from tunesmith_torch.data.truncation import group_size, truncated_rows
from tunesmith_torch.model.sanity_checks import check_weights


class Counting(SupervisedTuning):
    """Counts the rows that it encodes."""

    calls = 0

    def encode(self, row, chat):
        Counting.calls += 1
        return super().encode(row, chat)


@pytest.fixture
def chat(tiny):
    return ChatTokenizer(load_tokenizer(tiny))


def written(directory, groups, objective=None) -> TokenizedDataset:
    writer = TokenizedDatasetWriter(directory, objective or SupervisedTuning())
    for group in groups:
        writer.add(group)
    writer.close()
    return TokenizedDataset(directory)


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_groups_come_back_from_the_disk_as_they_were(tmp_path, chat, chat_rows, preference_rows, objective):
    chosen = SupervisedTuning() if objective == "sft" else DirectPreference(PreferenceSettings())
    rows = chat_rows if objective == "sft" else preference_rows
    groups = [chosen.encode(row, chat) for row in rows]
    found = written(tmp_path / "t", groups, chosen)
    plain = [[(list(s.tokens), list(s.labels)) for s in group.sequences] for group in groups]
    assert [[(s.tokens, s.labels) for s in group.sequences] for group in found] == plain
    assert list(found.sizes) == [group_size(group) for group in groups]
    assert list(found.weights) == [chosen.weight(group) for group in groups]
    assert found[-1] == found[len(groups) - 1]


def test_facts_and_media_come_back_too(tmp_path):
    medium = Medium({"type": "image", "path": "a.png"}, 1, 3)
    groups = [
        Group((TokenSequence([1, 2, 3, 70000], [False, False, False, True], (medium,)),)), Group((TokenSequence([4, 5], [False, True]),)),
        Group((TokenSequence([6, 7], [False, True]),), {"reward": 0.5}),
    ]  # fmt: skip
    found = written(tmp_path / "t", groups)
    assert found[0].sequences[0].media == (medium,)
    assert found[0].sequences[0].tokens[-1] == 70000
    assert (found[1].facts, found[2].facts) == ({}, {"reward": 0.5})


def test_facts_are_read_without_the_tokens(tmp_path):
    """Of the rows that are asked for, in that order; nothing of one that has none."""
    sequence = TokenSequence([5, 6, 7], [False, True, True])
    groups = [Group((sequence,), facts) for facts in ({"label": True}, {}, {"label": False, "margin": 0.5})]
    found = written(tmp_path / "rows", groups)
    assert list(found.facts([2, 0, 1])) == [dict(groups[at].facts) for at in (2, 0, 1)]


def test_tokens_are_found_again_by_another_run(bench, chat, chat_rows):
    Counting.calls = 0
    step = bench.step(rows=chat_rows)
    first = tokenize("data", Counting(), chat, step.inputs["model"], step, step.provider("strategy"))
    second = tokenize("data", Counting(), chat, step.inputs["model"], step, step.provider("strategy"))
    assert Counting.calls == len(chat_rows) == len(second)
    assert first.directory == second.directory


def test_another_objective_template_or_row_makes_them_anew(bench, chat, chat_rows, tiny):
    step = bench.step(rows=chat_rows)
    places = {
        tokenize("data", SupervisedTuning(SupervisedSettings(train_on=part)), chat, step.inputs["model"], step, None).directory
        for part in ("all", "assistant")
    }
    step = bench.step(rows=[*chat_rows[:-1], chat_rows[0]])
    places.add(tokenize("data", SupervisedTuning(), chat, step.inputs["model"], step, None).directory)
    assert len(places) == 3


def test_the_cache_does_not_grow_without_end(bench, chat, chat_rows):
    for number in range(KEPT + 3):
        step = bench.step(rows=chat_rows[: number + 2])
        tokenize("data", SupervisedTuning(), chat, step.inputs["model"], step, None)
    shelf = step.cache / "tokens"
    assert len(list(shelf.iterdir())) == KEPT


def test_a_broken_row_leaves_nothing_half_made(bench, chat, chat_rows):
    step = bench.step(rows=[*chat_rows[:2], {"messages": chat_rows[0]["messages"][:1]}])
    with pytest.raises(UserError, match="Row 3"):
        tokenize("data", SupervisedTuning(), chat, step.inputs["model"], step, None)
    assert list((step.cache / "tokens").iterdir()) == []


def messages(bench, level: str) -> list[str]:
    return [p["message"] for method, p in bench.notices if method == "$/log" and p["level"] == level]


def test_lengths_are_told_before_training(bench, chat_rows):
    bench.train({"max_steps": 1}, rows=chat_rows)
    (told,) = [p for method, p in bench.notices if method == "$/decision" and "trained on" in p["what"]]
    assert "20 rows of" in told["what"]
    assert all(word in told["reason"] for word in ("shortest", "median", "95%", "longest"))


def test_what_a_limit_takes_away_is_told_with_the_limit_that_takes_nothing(bench, chat, chat_rows):
    step = bench.step(rows=chat_rows)
    rows = tokenize("data", SupervisedTuning(), chat, step.inputs["model"], step, None)
    limit = sorted(rows.longest)[10]
    left = truncated_rows(rows, SupervisedTuning(), step, max_length=limit, truncation="auto")
    (told,) = messages(bench, "warning")
    lost = sum(max(0, length - limit) for length in rows.longest)
    learnt = sum(map(sum, (s.labels for group in rows for s in group.sequences)))
    kept = sum(map(sum, (s.labels for group in left for s in group.sequences)))
    cut = sum(length > limit for length in rows.longest)
    assert (
        f"{cut} of 20 rows are longer than {limit} tokens: {cut} were cut, with {lost} tokens of which {learnt - kept} would be trained on"
        in told
    )
    assert f"`max_length: {max(rows.longest)}` would lose none" in told
    assert list(left.sizes) == [group_size(group) for group in left]
    assert max(len(s.tokens) for group in left for s in group.sequences) == limit


class Documents(SupervisedTuning):
    """Learns every token of the conversation, in pieces if it has to."""

    asks = Asks(pieces=True)

    def __init__(self):
        super().__init__(SupervisedSettings(train_on="all"))
        self.asks = Documents.asks


def test_a_document_that_is_too_long_goes_on_in_pieces_and_each_token_is_learnt_once(bench, chat, chat_rows):
    step = bench.step(rows=chat_rows)
    rows = tokenize("data", Documents(), chat, step.inputs["model"], step, None)
    whole = truncated_rows(rows, Documents(), step, max_length=10**6, truncation="auto")
    cut = truncated_rows(rows, Documents(), step, max_length=16, truncation="auto")
    assert max(len(group.sequences[0].tokens) for group in cut) == 16
    assert list(cut.sizes) == [group_size(group) for group in cut]
    learnt = {"whole": [], "cut": []}
    for name, groups in (("whole", whole), ("cut", cut)):
        for number, group in zip(groups.numbers(range(len(groups))), groups, strict=True):
            (sequence,) = group.sequences
            learnt[name] += [(number, token) for token, label in zip(sequence.tokens, sequence.labels, strict=True) if label]
            assert not sequence.labels[0]
    assert learnt["cut"] == learnt["whole"]
    (told,) = [p["what"] for method, p in bench.notices if method == "$/decision" and "pieces" in p["what"]]
    assert f"{sum(length > 16 for length in rows.longest)} of 20 rows" in told
    assert f"{len(cut) - sum(length <= 16 for length in rows.longest)} in all" in told


@pytest.mark.parametrize(("truncation", "left"), [("drop", 0), ("truncate", 20)])
def test_documents_are_cut_or_left_out_where_that_is_said(bench, chat, chat_rows, truncation, left):
    step = bench.step(rows=chat_rows)
    rows = tokenize("data", Documents(), chat, step.inputs["model"], step, None)
    if not left:
        with pytest.raises(UserError, match="TS-DATA-035"):
            truncated_rows(rows, Documents(), step, max_length=8, truncation=truncation)
    else:
        assert len(truncated_rows(rows, Documents(), step, max_length=8, truncation=truncation)) == left


class Mute(SupervisedTuning):
    """An objective that finds nothing to learn in rows whose number is in `empty`."""

    def __init__(self, empty):
        super().__init__()
        self.empty, self.seen = empty, 0

    def encode(self, row, chat):
        sequence = chat.encode(row["messages"])
        self.seen += 1
        return Group((TokenSequence(sequence.tokens, [False] * len(sequence.tokens) if self.seen in self.empty else sequence.labels),))

    def loss(self, batch):
        return LossSum(-batch.policy.sum())


def test_rows_without_a_label_are_left_out_and_counted(bench, chat_rows):
    _, result = bench.train({"max_steps": 1}, rows=chat_rows, objective=Mute({2, 5}))
    assert result.meta["rows"] == 18
    assert "2 of 20 rows have no trained token and were left out" in messages(bench, "warning")


def test_a_file_without_any_label_is_refused(bench, chat_rows):
    with pytest.raises(UserError, match="TS-DATA-043"):
        bench.train(rows=chat_rows, objective=Mute(range(99)))


def test_what_tokens_were_made_of_lies_beside_them(bench, chat, chat_rows):
    step = bench.step(rows=chat_rows)
    recipe = json.loads(
        (tokenize("data", SupervisedTuning(), chat, step.inputs["model"], step, None).directory / "recipe.json").read_text()
    )
    assert "tokenizer.json" in recipe["tokenizer"]


def test_a_token_without_an_embedding_is_refused_before_the_weights_are_loaded(bench, chat_rows, tmp_path, tiny):
    model = tmp_path / "stranger"
    shutil.copytree(tiny, model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    tokenizer.add_tokens(["<|pause|>"])
    tokenizer.save_pretrained(model)
    (model / "model.safetensors").unlink()
    bench.base = Artifact("model/hf", model, digest="sha256:stranger")
    answer = {"messages": [chat_rows[0]["messages"][0], message("assistant", "Wait <|pause|> now.")]}
    with pytest.raises(UserError, match=r"TS-DATA-045: Row 3 has the token \d+ \('<\|pause\|>'\)"):
        bench.train(rows=[*chat_rows[:2], answer])


def test_a_tokenizer_with_more_tokens_than_the_rows_use_is_none_of_our_business(bench, chat_rows, tmp_path, tiny):
    model = tmp_path / "stranger"
    shutil.copytree(tiny, model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    tokenizer.add_tokens(["<|pause|>"])
    tokenizer.save_pretrained(model)
    bench.base = Artifact("model/hf", model, digest="sha256:stranger")
    bench.train({"max_steps": 1}, rows=chat_rows)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_by_name(bench, chat_rows, tmp_path, tiny, value):
    model = tmp_path / "broken"
    shutil.copytree(tiny, model)
    weights = load_file(model / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][3, 4] = value
    save_file(weights, model / "model.safetensors", {"format": "pt"})
    bench.base = Artifact("model/hf", model, digest="sha256:broken")
    with pytest.raises(UserError, match=r"TS-TRAIN-015.* 1 of \d+ numbers of .*up_proj"):
        bench.train({"max_steps": 1}, rows=chat_rows)


def test_large_weights_are_not_broken_ones():
    module = torch.nn.Linear(4, 4)
    torch.nn.init.constant_(module.weight, 3e38)
    check_weights(module, Artifact("model/hf", Path("large")))
