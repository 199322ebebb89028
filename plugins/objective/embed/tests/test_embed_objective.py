"""The objective `embed`: what it takes from a row, and that the loss is the whole batch's however that is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_embed.asks import parts
from tunesmith_embed.objective import Embedding
from tunesmith_embed.settings import EmbedSettings
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_torch.api import LAST, Group, MicroBatch, TokenSequence
from tunesmith_torch.api.text import ChatTokenizer

ROW = {"anchor": "Who wrote Faust?", "positive": "Goethe wrote it.", "negatives": ["Weimar is a city.", "", "Nobody knows."]}


@pytest.fixture(scope="module")
def chat():
    return ChatTokenizer(tiny_tokenizer())


def test_a_row_is_its_texts_with_the_end_token_and_a_place_there(chat):
    group = Embedding(EmbedSettings(hard_negatives=2, query_prompt="Q: ", document_prompt="D: ")).encode(ROW, chat)
    texts = [chat.tokenizer.decode(sequence.tokens[:-1]) for sequence in group.sequences]
    assert texts == ["Q: Who wrote Faust?", "D: Goethe wrote it.", "D: Weimar is a city.", "D: Nobody knows."]
    assert {sequence.tokens[-1] for sequence in group.sequences} == {chat.tokenizer.eos_token_id}
    assert {tuple(sequence.places) for sequence in group.sequences} == {(LAST,)}
    assert not any(any(sequence.labels) for sequence in group.sequences)


def test_for_a_mean_every_token_is_a_place_and_none_is_added(chat):
    group = Embedding(EmbedSettings(pooling="mean", hard_negatives=0)).encode(ROW, chat)
    assert [len(sequence.places) for sequence in group.sequences] == [len(sequence.tokens) for sequence in group.sequences]
    assert list(group.sequences[0].tokens) == chat.tokenizer(ROW["anchor"])["input_ids"]
    assert len(group.sequences) == 2


@pytest.mark.parametrize("name", ["anchor", "positive"])
def test_an_empty_text_is_refused(chat, name):
    with pytest.raises(UserError, match=f"TS-DATA-020.*{name}"):
        Embedding().encode(ROW | {name: " "}, chat)


def batch(objective: Embedding, sizes: list[int], places: int = 1) -> MicroBatch:
    """Rows of so many texts each, with states drawn at random."""
    groups = [Group(tuple(TokenSequence([1] * places, [False] * places) for _ in range(size))) for size in sizes]
    hidden = torch.randn(sum(sizes) * places, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    whole = MicroBatch(groups, places=[places] * sum(sizes), hidden=hidden, own=range(len(groups)))
    return replace(whole, statistics=objective.gather(whole))


def test_two_micro_batches_have_the_gradients_of_the_whole():
    objective = Embedding(EmbedSettings(pooling="mean", hard_negatives=2, matryoshka_dims=[4]))
    whole = batch(objective, [2, 4, 3], places=2)
    (wanted,) = torch.autograd.grad(objective.formula(whole), whole.hidden)
    pieces, values = [], []
    for own, states in (([0], slice(0, 4)), ([2, 1], None)):
        first, second = whole.hidden[4:12], whole.hidden[12:]
        hidden = whole.hidden[states] if states else torch.cat([second, first])
        live = hidden.detach().requires_grad_()
        groups = [whole.groups[at] for at in own]
        places = [2] * sum(len(group.sequences) for group in groups)
        result = objective.loss(MicroBatch(groups, places=places, hidden=live, own=own, statistics=whole.statistics))
        pieces.append(torch.autograd.grad(result.total, live)[0])
        values.append(result.value)
    found = torch.cat([pieces[0], pieces[1][6:], pieces[1][:6]]) / 3
    torch.testing.assert_close(found, wanted)
    assert sum(values).item() / 3 == pytest.approx(objective.formula(whole).item())


def test_alone_and_without_negatives_there_is_nothing_to_tell_apart():
    objective = Embedding()
    result = objective.loss(batch(objective, [2]))
    assert (result.value.item(), result.metrics["accuracy"].item()) == (0.0, 1)


def test_a_part_that_is_no_part_is_refused():
    objective = Embedding(EmbedSettings(matryoshka_dims=[8]))
    with pytest.raises(UserError, match=r"TS-TRAIN-102.*8"):
        objective.loss(batch(objective, [2, 2]))


def test_the_first_token_is_for_encoders():
    asked = {"settings": {"pooling": "cls"}}
    with pytest.raises(UserError, match=r"TS-TRAIN-139.*llama"):
        parts(EstimateRequest({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, **asked))
    assert parts(EstimateRequest({"model_type": "bert", "architectures": ["BertModel"]}, **asked))["sequences"] == 3


@pytest.mark.parametrize("size", [0, 64, 65])
def test_a_part_that_is_no_part_is_refused_by_the_plan_where_the_model_is_known(size):
    sizes = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000}
    with pytest.raises(UserError, match=rf"TS-TRAIN-102.*{size}.*64 numbers"):
        parts(EstimateRequest(sizes, settings={"matryoshka_dims": [8, size]}))
    assert parts(EstimateRequest(sizes, settings={"matryoshka_dims": [8, 63]}))["sequences"] == 3
    assert parts(EstimateRequest({}, settings={"matryoshka_dims": [size]}))["sequences"] == 3  # of a model that nobody knows
