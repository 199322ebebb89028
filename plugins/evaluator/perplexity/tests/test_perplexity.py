"""The oracle is transformers: the same conversation through the model alone, labels on the answer, mean of its cross-entropy."""

import math

import pytest
import torch

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import message
from tunesmith_perplexity.evaluator import Perplexity
from tunesmith_perplexity.settings import PerplexitySettings
from tunesmith_sdk.testing.datasets import dataset
from tunesmith_torch.api.model import load_model
from tunesmith_torch.api.text import load_tokenizer

ROWS = [
    {"messages": [message("user", question), message("assistant", answer)]}
    for question, answer in [("What is the capital of France?", "Paris."), ("Count.", "0123456789"), ("Fox?", "The quick brown fox jumps.")]
]


@pytest.fixture(scope="session")
def model(tiny_model):
    return Artifact("model/hf", tiny_model())


def evaluate(model, step, rows=ROWS, **settings):
    return Perplexity(PerplexitySettings(**settings)).evaluate(model, rows if rows is None else dataset(step.work / "rows", rows), step)


@torch.no_grad()
def reference(artifact, row):
    """(summed loss, tokens) of the answer."""
    model, tokenizer = load_model(artifact, "cpu", "float32"), load_tokenizer(artifact)
    plain = [{"role": turn["role"], "content": turn["content"][0]["text"]} for turn in row["messages"]]
    prompt = tokenizer.apply_chat_template(plain[:1], tokenize=False, add_generation_prompt=True)
    ids = tokenizer(prompt + plain[1]["content"] + "<|im_end|>", add_special_tokens=False, return_tensors="pt")["input_ids"]
    start = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    labels = ids.clone()
    labels[:, :start] = -100
    count = ids.shape[1] - start
    return float(model(ids, labels=labels).loss) * count, count


def test_it_is_the_mean_over_the_answers_tokens(model, local_step):
    found = evaluate(model, local_step())
    losses = [reference(model, row) for row in ROWS]
    tokens = sum(count for _, count in losses)
    nll = sum(loss for loss, _ in losses) / tokens
    assert found.metrics["tokens"] == tokens
    assert found.metrics["nll"] == pytest.approx(nll, rel=1e-5)
    assert found.metrics["perplexity"] == pytest.approx(math.exp(nll), rel=1e-4)
    assert [sample["nll"] for sample in found.samples] == pytest.approx([loss / count for loss, count in losses], rel=1e-5)
    assert found.samples[0]["question"] == "What is the capital of France?"


@torch.no_grad()
def test_of_a_text_all_tokens_but_the_first_count(model, local_step):
    texts = ["The quick brown fox jumps.", "0123456789"]
    found = Perplexity(PerplexitySettings()).evaluate(
        model, dataset(local_step().work / "texts", [{"text": text} for text in texts], "dataset/text"), local_step()
    )
    network, tokenizer = load_model(model, "cpu", "float32"), load_tokenizer(model)
    ids = [tokenizer(text, return_tensors="pt")["input_ids"] for text in texts]
    tokens = sum(one.shape[1] - 1 for one in ids)
    assert found.metrics["tokens"] == tokens
    nll = sum(float(network(one, labels=one).loss) * (one.shape[1] - 1) for one in ids) / tokens
    assert found.metrics["nll"] == pytest.approx(nll, rel=1e-5)
    assert [sample["answer"] for sample in found.samples] == texts


def test_how_rows_are_batched_changes_nothing(model, local_step):
    together, alone = evaluate(model, local_step()), evaluate(model, local_step(), max_tokens_per_microbatch=1)
    assert alone.metrics["nll"] == pytest.approx(together.metrics["nll"], rel=1e-6)


def test_the_same_again_gives_the_same_numbers(model, local_step):
    assert evaluate(model, local_step()) == evaluate(model, local_step())


def test_rows_that_are_cut_or_left_out_are_told(model, local_step):
    step = local_step()
    rows = [*ROWS, {"messages": [message("user", "long " * 100), message("assistant", "never seen")]}]
    assert evaluate(model, step, rows, max_length=100).metrics == evaluate(model, local_step()).metrics
    assert [level for level, _ in step.reports.logs] == ["warning", "warning"]


@pytest.mark.parametrize("rows", [None, [], [{"messages": [message("user", "Hi")]}]])
def test_nothing_to_score_is_told(model, local_step, rows):
    with pytest.raises(UserError, match="TS-DATA-040"):
        evaluate(model, local_step(), rows)
