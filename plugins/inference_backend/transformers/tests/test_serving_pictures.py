"""Models that see answer about pictures as transformers' own `generate` does, also beside others and from the prefix cache."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path
from typing import Any

import openai
import pytest

from tunesmith_sdk.tiny_multimodal_models import tiny_multimodal
from tunesmith_transformers.api.request import image_parts
from tunesmith_transformers.model import vision

SEEING = ("qwen2_vl", "qwen2_5_vl", "idefics3")
RED, BLUE = (200, 30, 30), (30, 30, 200)


def png(colour: tuple[int, int, int], size: tuple[int, int] = (84, 56)) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def picture(data: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url(data)}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def asked(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


@pytest.fixture(scope="module", params=SEEING)
def seeing(request, tmp_path_factory, serve):
    """(Directory, a server of it, its client) of each family."""
    path = tiny_multimodal(tmp_path_factory.mktemp(request.param), family=request.param)
    with serve(path, max_model_len=512) as server:
        yield path, server, server.client()


@pytest.fixture(scope="module")
def one(tmp_path_factory, serve):
    path = tiny_multimodal(tmp_path_factory.mktemp("one"), family="qwen2_vl")
    with serve(path, max_model_len=512) as server:
        yield server


def generated(path: Path, messages: list[dict[str, Any]], count: int) -> tuple[list[int], list[float]]:
    """Greedy ids of transformers itself, and their log-probabilities."""
    import torch
    from PIL import Image
    from transformers import AutoModelForMultimodalLM

    from tunesmith_torch.api.text import chat_encoder

    chat: Any = chat_encoder(path)
    model = AutoModelForMultimodalLM.from_pretrained(path, dtype="float32").eval()
    parts = [part for message in messages for part in message["content"]]
    pictures = [
        Image.open(io.BytesIO(base64.b64decode(part["image_url"]["url"].partition(",")[2]))) for part in parts if "image_url" in part
    ]
    plain = [{"role": message["role"], "content": [{"type": "image"} if "image_url" in part else part for part in message["content"]]}
             for message in messages]  # fmt: skip
    words = chat.template.render(plain, prompt=True).text
    given = chat.processor(text=[words], images=[pictures], return_tensors="pt")
    with torch.inference_mode():
        out = model.generate(**given, do_sample=False, max_new_tokens=count, output_logits=True, return_dict_in_generate=True)
    ids = out.sequences[0, given["input_ids"].shape[1] :].tolist()
    return ids, [float(row[0].float().log_softmax(-1)[token]) for row, token in zip(out.logits, ids, strict=True)]


def answer(client: openai.OpenAI, messages: list[dict[str, Any]], count: int = 8, **more: Any) -> Any:
    return client.chat.completions.create(
        model="tiny", messages=messages, temperature=0, max_tokens=count, logprobs=True, extra_body={"ignore_eos": True}, **more
    )  # fmt: skip


def log_probs(answered: Any) -> list[float]:
    return [entry.logprob for entry in answered.choices[0].logprobs.content]


def test_answers_about_pictures_are_those_of_generate(seeing):
    path, _, client = seeing
    messages = asked(text("Say "), picture(png(RED)), text(" or "), picture(png(BLUE, (30, 40))), text("?"))
    ids, wanted = generated(path, messages, 8)
    found = answer(client, messages)
    assert log_probs(found)[: len(ids)] == pytest.approx(wanted, abs=2e-4)
    assert found.usage.prompt_tokens > 10


def test_answers_are_the_same_beside_others_in_parts_and_from_the_prefix_cache(tmp_path, serve):
    path = tiny_multimodal(tmp_path, family="qwen2_vl")
    questions = [asked(picture(png(colour)), text(f"{name}?" * 6)) for colour, name in ((RED, "What"), (BLUE, "What"), (RED, "Who"))]
    questions.append([{"role": "user", "content": "What? " * 20}])
    with serve(path, max_model_len=512, enable_prefix_caching=False) as server:
        alone = [log_probs(answer(server.client(), question)) for question in questions]
    assert alone[0] != pytest.approx(alone[1], abs=1e-5)
    with serve(path, max_model_len=512, chunked_prefill_size=5) as server:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda question: log_probs(answer(server.client(), question)), questions * 2))
        again = answer(server.client(), questions[0])
    for one, other in zip(together, alone * 2, strict=True):
        assert one == pytest.approx(other, abs=2e-4)
    assert again.usage.prompt_tokens_details.cached_tokens >= 16
    assert log_probs(again) == pytest.approx(alone[0], abs=2e-4)


def test_a_conversation_goes_on_after_a_picture(seeing):
    path, _, client = seeing
    messages = [*asked(picture(png(RED)), text("What?")), {"role": "assistant", "content": [text("Red.")]}, *asked(text("And now?"))]
    _, wanted = generated(path, messages, 4)
    assert log_probs(answer(client, messages, 4))[: len(wanted)] == pytest.approx(wanted, abs=2e-4)


def test_the_responses_api_and_streams_take_pictures(one):
    client, content = one.client(), [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": url(png(RED))}]
    answered = client.responses.create(model="tiny", input=[{"role": "user", "content": content}], max_output_tokens=5)
    assert answered.usage.output_tokens > 0
    stream = client.chat.completions.create(model="tiny", messages=asked(picture(png(RED)), text("?")), max_tokens=5, stream=True)
    assert [piece.choices[0].finish_reason for piece in stream if piece.choices][-1] in ("stop", "length")


def test_penalties_and_token_counts_know_no_picture(one):
    import httpx

    messages = asked(picture(png(RED)), text("What?"))
    client = one.client()
    assert log_probs(answer(client, messages, extra_headers={}, frequency_penalty=0.5))
    told = httpx.post(f"{one.root}/tokenize", json={"model": "tiny", "messages": messages}).json()
    assert told["count"] == answer(client, messages).usage.prompt_tokens
    assert min(told["tokens"]) >= 0


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}, "fetches nothing"),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "fetches nothing"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, "no picture"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}, "no valid base64"),
        ({"type": "image_url"}, "lacks its `image_url`"),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "reads text and pictures"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(one, part, why):
    with pytest.raises(openai.BadRequestError, match=why):
        answer(one.client(), asked(text("What?"), part))


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(one, monkeypatch):
    monkeypatch.setattr(image_parts, "PIXELS", 1000)
    whole = png(RED)
    with pytest.raises(openai.BadRequestError, match="84 x 56 pixels, and 1,000 are the most"):
        answer(one.client(), asked(picture(whole[: len(whole) // 2])))


def test_a_text_that_holds_the_word_for_a_picture_is_refused_beside_one(one):
    with pytest.raises(openai.BadRequestError, match="in their places"):
        answer(one.client(), asked(text("<|image_pad|>"), picture(png(RED))))


def test_no_picture_is_left_in_a_file(tmp_path, serve, monkeypatch):
    path = tiny_multimodal(tmp_path / "model", family="qwen2_vl")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with serve(path, max_model_len=512) as server:
        answer(server.client(), asked(picture(png(BLUE))))
        (folder,) = tmp_path.glob("tunesmith-pictures-*")
        assert not list(folder.iterdir())
    assert not folder.exists()


def test_a_model_whose_pictures_cannot_be_batched_is_served_for_text(tmp_path, serve, monkeypatch):
    path = tiny_multimodal(tmp_path, family="qwen2_vl")
    # as if the family made something else of embeddings
    monkeypatch.setattr(vision, "_seen", lambda given: vision.Seen(given["inputs_embeds"][0] + 1, None))
    with serve(path, max_model_len=512) as server:
        assert answer(server.client(), [{"role": "user", "content": "What?"}]).usage.completion_tokens
        with pytest.raises(openai.BadRequestError, match="served for text alone: in a batch it does not answer about a picture"):
            answer(server.client(), asked(picture(png(RED))))


def test_a_model_that_sees_without_its_processor_is_served_for_text(tmp_path, serve):
    path = tiny_multimodal(tmp_path, family="qwen2_vl")
    for name in ("preprocessor_config.json", "processor_config.json"):
        (path / name).unlink(missing_ok=True)
    with serve(path, max_model_len=512) as server, pytest.raises(openai.BadRequestError, match="reads text only"):
        answer(server.client(), asked(text("What?"), picture(png(RED))))


def test_a_model_of_text_says_that_it_reads_text_only(client):
    with pytest.raises(openai.BadRequestError, match="reads text only"):
        answer(client, asked(text("What?"), picture(png(RED))))
