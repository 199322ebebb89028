"""Embeddings over the official client. The oracle is transformers' base model, a text at a time."""

from __future__ import annotations

import base64
import struct
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest
import torch

from tunesmith_sdk.testing.scoring_models import with_head

TEXTS = ["one", "two of them", "A longer text, of several words.", "狐狸 🦊"]


@pytest.fixture(scope="module", params=["last", "mean"])
def pooling(request):
    return request.param


@pytest.fixture(scope="module")
def embedder(tiny, tmp_path_factory, pooling):
    folder = tmp_path_factory.mktemp("embedder") / pooling
    usage = {"pooling": pooling, "matryoshka_dims": [8], "query_prompt": "query: ", "document_prompt": ""}
    return with_head(tiny, folder, "embed", usage=usage).path


@pytest.fixture(scope="module")
def embedding_server(embedder, serve):
    with serve(embedder, format="model/hf+embed", max_model_len=100, max_queued_requests=64) as server:
        yield server


@pytest.fixture(scope="module")
def reference_of(embedder, tokenizer, pooling):
    from transformers import AutoModel

    model = AutoModel.from_pretrained(embedder, dtype="float32").eval()

    @torch.no_grad()
    def vector(text, prompt=""):
        ids = tokenizer(prompt + text)["input_ids"] if isinstance(text, str) else list(text)
        if pooling == "last" and ids[-1] != tokenizer.eos_token_id:
            ids.append(tokenizer.eos_token_id)
        states = model(torch.tensor([ids])).last_hidden_state[0]
        found = states[-1] if pooling == "last" else states.mean(0)
        return (found / found.norm()).tolist()

    return vector


def close(vector, wanted):
    assert vector == pytest.approx(wanted, rel=1e-3, abs=1e-4)


def test_the_official_client_is_given_the_vectors_of_transformers(embedding_server, reference_of, tokenizer, pooling):
    reply = embedding_server.client().embeddings.create(model="tiny", input=TEXTS)
    assert [item.index for item in reply.data] == [0, 1, 2, 3]
    for item, text in zip(reply.data, TEXTS, strict=True):
        close(item.embedding, reference_of(text))
    tokens = sum(len(tokenizer(text)["input_ids"]) + (pooling == "last") for text in TEXTS)
    assert (reply.usage.prompt_tokens, reply.usage.total_tokens) == (tokens, tokens)
    assert (reply.model, reply.object) == ("tiny", "list")


def test_every_form_of_input_is_taken(embedding_server, reference_of, tokenizer):
    client = embedding_server.client()
    ids = [tokenizer(text)["input_ids"] for text in TEXTS[:2]]
    close(client.embeddings.create(model="tiny", input="one").data[0].embedding, reference_of("one"))
    close(client.embeddings.create(model="tiny", input=ids[1]).data[0].embedding, reference_of(ids[1]))
    both = client.embeddings.create(model="tiny", input=ids).data
    close(both[0].embedding, reference_of(ids[0]))
    close(both[1].embedding, reference_of(ids[1]))


def test_base64_holds_the_same_numbers(embedding_server):
    body = {"model": "tiny", "input": "one"}
    plain, packed = (
        httpx.post(f"{embedding_server.url}/embeddings", json=body | {"encoding_format": form}).json()["data"][0]["embedding"]
        for form in ("float", "base64")
    )
    raw = base64.b64decode(packed)
    assert list(struct.unpack(f"<{len(raw) // 4}f", raw)) == pytest.approx(plain, abs=1e-7)


def test_as_many_numbers_as_were_trained_may_be_asked_for(embedding_server, reference_of):
    client = embedding_server.client()
    short = client.embeddings.create(model="tiny", input="one", dimensions=8).data[0].embedding
    beginning = torch.tensor(reference_of("one")[:8])
    close(short, (beginning / beginning.norm()).tolist())
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="tiny", input="one", dimensions=9)
    assert caught.value.param == "dimensions"
    assert "8" in caught.value.message


def test_a_prompt_of_training_is_put_before_the_text(embedding_server, reference_of):
    found = embedding_server.client().embeddings.create(model="tiny", input="one", extra_body={"prompt_name": "query"})
    close(found.data[0].embedding, reference_of("one", "query: "))


def test_batches_change_nothing(embedding_server, reference_of):
    client = embedding_server.client()
    texts = [f"{word} {number}" for number in range(8) for word in ("short", "somewhat longer than that")]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: client.embeddings.create(model="tiny", input=text).data[0].embedding, texts))
    for vector, text in zip(found, texts, strict=True):
        close(vector, reference_of(text))


@pytest.mark.parametrize(("body", "status", "param", "told"), [
    ({"input": ""}, 400, "input", "empty"),
    ({"input": []}, 400, "input", ""),
    ({"input": ["one", ""]}, 400, "input", "empty"),
    ({"input": [10**6]}, 400, "input", "no token"),
    ({"input": "long " * 150}, 400, "input", "100"),
    ({"input": "x" * 10**6}, 400, "input", "100"),
    ({"input": ["one"] * 97}, 400, "input", "96"),
    ({"input": "one", "encoding_format": "int8"}, 400, "encoding_format", ""),
    ({"input": "one", "temperature": 1}, 400, "temperature", "not known"),
    ({"input": "one", "model": "other"}, 404, "model", "no model"),
])  # fmt: skip
def test_a_bad_request_is_told_in_openai_s_form(embedding_server, body, status, param, told):
    reply = httpx.post(f"{embedding_server.url}/embeddings", json={"model": "tiny"} | body)
    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (status, param)
    assert told in error["message"]


def test_a_model_that_embeds_is_not_asked_for_words_or_scores(embedding_server):
    with pytest.raises(openai.BadRequestError) as caught:
        embedding_server.client().chat.completions.create(model="tiny", messages=[{"role": "user", "content": "Hi"}])
    assert caught.value.code == "model_not_supported"
    assert "/v1/embeddings" in caught.value.message
    assert httpx.post(f"{embedding_server.root}/pooling", json={"model": "tiny", "input": "x"}).status_code == 400


def test_what_is_served_says_what_it_gives(embedding_server, tiny):
    import json

    (card,) = httpx.get(f"{embedding_server.url}/models").json()["data"]
    assert card["role"] == "embed"
    assert card["dimensions"] == json.loads((tiny / "config.json").read_text())["hidden_size"]
    assert embedding_server.step.reports.facts["answers"] == "/v1/embeddings"
    assert httpx.get(f"{embedding_server.root}/health").status_code == 200


def test_a_model_that_writes_is_not_asked_for_embeddings(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="tiny", input="one")
    assert "/v1/chat/completions" in caught.value.message
