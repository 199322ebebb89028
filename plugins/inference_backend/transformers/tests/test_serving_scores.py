"""Scores and classes over `/pooling`, in vLLM's form. The oracles are transformers' classifiers."""

from __future__ import annotations

import json
import threading

import httpx
import pytest
import torch

from tunesmith_sdk.testing.scoring_models import drawn_head, with_head
from tunesmith_sdk.tiny_models import tiny_encoder
from tunesmith_transformers.engine.engine import QueueFull
from tunesmith_transformers.engine.metrics import Metrics
from tunesmith_transformers.engine.scheduler import Limits
from tunesmith_transformers.pooling.pooler import Cancelled, Pooler

TALK = [{"role": "user", "content": "Say one"}, {"role": "assistant", "content": "one"}]
STEPS = [{"role": "user", "content": "1 + 1 + 1?"}, {"role": "assistant", "content": "1 + 1 = 2\n2 + 1 = 3"}]


def with_role(base, directory, role, **more):
    """A model with a head of random numbers."""
    return with_head(base, directory, role, drawn_head(base, len(more.get("labels", "1"))), **more).path


def ask(server, **body):
    reply = httpx.post(f"{server.root}/pooling", json={"model": "tiny", **body})
    return reply.status_code, reply.json()


def given(server, **body):
    status, reply = ask(server, **body)
    assert status == 200, reply
    return [item["data"] for item in reply["data"]]


@torch.no_grad()
def logits(kind, path, ids):
    import transformers

    return getattr(transformers, kind).from_pretrained(path, dtype="float32").eval()(torch.tensor([ids])).logits[0]


def test_a_conversation_s_score_is_the_one_of_transformers(tiny, tmp_path, serve, tokenizer):
    judge = with_role(tiny, tmp_path / "judge", "reward")
    ids = tokenizer(tokenizer.apply_chat_template(TALK, tokenize=False), add_special_tokens=False)["input_ids"]
    wanted = logits("AutoModelForSequenceClassification", judge, ids)
    with serve(judge, format="model/hf+reward") as server:
        status, reply = ask(server, messages=TALK)
        assert status == 200
        assert reply["data"][0] == {"index": 0, "object": "pooling", "data": pytest.approx(wanted.tolist(), rel=1e-3)}
        assert reply["usage"] == {"prompt_tokens": len(ids), "total_tokens": len(ids)}
        assert reply["id"].startswith("pool-")
        assert given(server, messages=TALK, use_activation=True)[0] == pytest.approx(wanted.sigmoid().tolist(), rel=1e-3)
        for body, param in (
            ({"input": "text"}, "input"), ({"messages": TALK, "input": "x"}, "messages"), ({}, "messages"),
            ({"messages": [{"role": "user", "content": " "}]}, "messages"), ({"messages": [{"role": "nobody"}]}, "messages[0].role"),
        ):  # fmt: skip
            status, reply = ask(server, **body)
            assert (status, reply["error"]["param"]) == (400, param)
        assert httpx.post(f"{server.url}/chat/completions", json={"model": "tiny", "messages": TALK}).status_code == 400


def test_classes_of_texts_and_conversations(tiny, tmp_path, serve, tokenizer):
    sorter = with_role(tiny, tmp_path / "sorter", "classify", labels=("even", "odd", "none"))
    ids = tokenizer("one two")["input_ids"]
    wanted = logits("AutoModelForSequenceClassification", sorter, ids)
    with serve(sorter, format="model/hf+classify") as server:
        for one in ("one two", ids):
            assert given(server, input=one)[0] == pytest.approx(wanted.softmax(-1).tolist(), rel=1e-3)
        assert given(server, input="one two", use_activation=False)[0] == pytest.approx(wanted.tolist(), rel=1e-3, abs=1e-4)
        several = given(server, input=["one two", "three"])
        assert len(several) == 2
        assert sum(given(server, messages=TALK)[0]) == pytest.approx(1.0)
        (card,) = httpx.get(f"{server.url}/models").json()["data"]
        assert card["labels"] == ["even", "odd", "none"]


def test_several_classes_at_once_are_probabilities_each(tiny, tmp_path, serve, tokenizer):
    tagger = with_role(tiny, tmp_path / "topics", "classify", labels=("a", "b"), problem_type="multi_label_classification")
    wanted = logits("AutoModelForSequenceClassification", tagger, tokenizer("one two")["input_ids"])
    with serve(tagger, format="model/hf+classify") as server:
        assert given(server, input="one two")[0] == pytest.approx(wanted.sigmoid().tolist(), rel=1e-3)


def test_classes_of_words_and_steps(tiny, tmp_path, serve):
    tagger = with_role(tiny, tmp_path / "tagger", "classify-tokens", labels=("O", "PLACE"))
    with serve(tagger, format="model/hf+classify-tokens") as server:
        (words,) = given(server, input="Goethe lived  in Weimar")
        assert len(words) == 4
        assert all(sum(one) == pytest.approx(1.0) for one in words)
        assert ask(server, input=[5, 6])[0] == 400
        assert ask(server, messages=TALK)[0] == 400
    judge = with_role(tiny, tmp_path / "steps", "process-reward", labels=("wrong", "right"), usage={"step_separator": "\n"})
    with serve(judge, format="model/hf+process-reward") as server:
        (steps,) = given(server, messages=STEPS)
        assert len(steps) == 2
        assert ask(server, messages=STEPS[:1])[0] == 400
        assert ask(server, messages=[STEPS[0], {"role": "assistant", "content": "\n"}])[0] == 400


@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert"])
def test_an_encoder_s_classes_and_embeddings_are_those_of_transformers(tmp_path, serve, family):
    from transformers import AutoModel, AutoTokenizer

    sorter = tiny_encoder(tmp_path / "sorter", family=family, kind="AutoModelForSequenceClassification", num_labels=3)
    ids = AutoTokenizer.from_pretrained(sorter)("one two")["input_ids"]
    with serve(sorter, format="model/hf+classify") as server:
        wanted = logits("AutoModelForSequenceClassification", sorter, ids)
        assert given(server, input="one two", use_activation=False)[0] == pytest.approx(wanted.tolist(), rel=1e-3, abs=1e-4)
        assert given(server, input=["one two", "three"])[0] == pytest.approx(wanted.softmax(-1).tolist(), rel=1e-3)
    tagger = tiny_encoder(tmp_path / "tagger", family=family, kind="AutoModelForTokenClassification", num_labels=2)
    with serve(tagger, format="model/hf+classify-tokens") as server:
        assert [len(given(server, input=text)[0]) for text in ("one", "one two three")] == [1, 3]
    embedder = tiny_encoder(tmp_path / "embedder", family=family, kind="AutoModel")
    config = json.loads((embedder / "config.json").read_text()) | {"tunesmith": {"role": "embed", "pooling": "cls"}}
    (embedder / "config.json").write_text(json.dumps(config))
    with torch.no_grad():
        first = AutoModel.from_pretrained(embedder).eval()(torch.tensor([ids])).last_hidden_state[0, 0]
    with serve(embedder, format="model/hf+embed") as server:
        for one in ("one two", ids):
            reply = httpx.post(f"{server.url}/embeddings", json={"model": "tiny", "input": one}).json()
            assert reply["data"][0]["embedding"] == pytest.approx((first / first.norm()).tolist(), rel=1e-3, abs=1e-4)
        assert httpx.post(f"{server.url}/embeddings", json={"model": "tiny", "input": "one " * 200}).status_code == 400


def test_a_model_without_its_head_is_told_before_it_serves(tiny, serve):
    from tunesmith.contracts import UserError

    with pytest.raises(UserError, match="TS-MODEL-024"), serve(tiny, format="model/hf+reward"):
        """Not reached."""


class Model:
    """Fails at what is told; waits for `go`."""

    role = "reward"

    def __init__(self) -> None:
        self.go, self.batches = threading.Event(), []

    def scores(self, sequences):
        self.go.wait(10)
        self.batches.append([one.tokens[0] for one in sequences])
        if any(one.tokens[0] == 13 for one in sequences):
            raise RuntimeError("thirteen")
        return [torch.tensor([[float(one.tokens[0])]]) for one in sequences]


def sequence(number, length=1):
    from tunesmith_torch.api import TokenSequence

    return TokenSequence([number] * length, [False] * length, places=(-1,))


@pytest.fixture
def pooler():
    made = Pooler(Model(), Limits(batch=3, queue=4, prompt_tokens=8), Metrics())  # type: ignore[arg-type]
    made.start()
    yield made
    made.model.go.set()
    made.stop()


def test_what_waits_is_run_together_within_bounds(pooler):
    first = pooler.submit([sequence(1)])
    others = pooler.submit([sequence(2), sequence(3), sequence(4, 7), sequence(5)])
    pooler.model.go.set()
    assert [float(one.result(10)) for one in (*first, *others)] == [1, 2, 3, 4, 5]
    assert all(len(batch) <= 3 for batch in pooler.model.batches)
    assert [2, 3] in pooler.model.batches or [1, 2, 3] in pooler.model.batches


def test_more_than_may_wait_are_refused_whole(pooler):
    pooler.submit([sequence(1)] * 5)
    with pytest.raises(QueueFull):
        pooler.submit([sequence(1)] * 3)
    assert len(pooler.submit([sequence(1)] * 2)) == 2


def test_one_that_fails_fails_alone(pooler):
    held = pooler.submit([sequence(1)])
    good, bad, other = pooler.submit([sequence(2), sequence(13), sequence(3)])
    pooler.model.go.set()
    assert [float(one.result(10)) for one in (*held, good, other)] == [1, 2, 3]
    with pytest.raises(RuntimeError, match="thirteen"):
        bad.result(10)


def test_what_waits_when_it_ends_is_told(pooler):
    pooler.submit([sequence(1)])
    (waiting,) = pooler.submit([sequence(2, 8)])
    assert not pooler.drain(0.05)
    pooler.model.go.set()
    pooler.stop()
    assert waiting.done()
    assert isinstance(waiting.exception(), (Cancelled, type(None)))
