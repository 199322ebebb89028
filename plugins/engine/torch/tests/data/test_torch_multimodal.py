"""Pictures and sounds of rows reach the model, whose language part learns from them what transformers and PEFT would."""

from __future__ import annotations

import math
import struct
import wave

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_sdk.tiny_multimodal_models import tiny_multimodal
from tunesmith_torch.adapter.target_modules import targets
from tunesmith_torch.api.model import label_log_probs, load_model, pack
from tunesmith_torch.data.multimodal.limits import MediaLimits
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.data.truncation import shortened

SEEING, HEARING = ("qwen2_vl", "qwen2_5_vl", "idefics3"), "qwen2_audio"


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    """A red and a blue picture of different sizes, a second of sound, and a video of twelve pictures that turn from black to white."""
    from PIL import Image

    directory = tmp_path_factory.mktemp("media")
    Image.new("RGB", (84, 56), (200, 30, 30)).save(directory / "red.png")
    Image.new("RGB", (30, 40), (30, 30, 200)).save(directory / "blue.jpg")
    with wave.open(str(directory / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", round(20000 * math.sin(at / 3))) for at in range(8000)))
    frames = [Image.new("RGB", (28, 28), (at * 20,) * 3) for at in range(12)]
    frames[0].save(directory / "video.gif", save_all=True, append_images=frames[1:], duration=40)
    (directory / "frames").mkdir()
    for at, frame in enumerate(frames):
        frame.save(directory / "frames" / f"{at:02}.png")
    return directory


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Directory of a tiny model by its family, made when it is asked for."""
    made = {}

    def of(family: str):
        if family not in made:
            made[family] = tiny_multimodal(tmp_path_factory.mktemp(family), family=family)
        return made[family]

    return of


def part(kind: str, path) -> dict:
    return {"type": kind, "path": str(path)}


def text(words: str) -> dict:
    return {"type": "text", "text": words}


def conversation(media, family: str) -> list:
    """Two media in the first question, an answer, and a second exchange of text alone."""
    one, two = (part("audio", media / "tone.wav"),) * 2 if family == HEARING else (
        part("image", media / "red.png"), part("image", media / "blue.jpg"))  # fmt: skip
    return [
        message("user", [text("Say "), one, text(" or "), two, text("?")]), message("assistant", "Red is first."),
        message("user", "And then?"), message("assistant", "Blue."),
    ]  # fmt: skip


def their_inputs(chat, conversation):
    """What transformers' own processor makes of a conversation."""
    parts = [part for turn in conversation for part in turn["content"] if part["type"] != "text"]
    rendered = chat.template.render([chat.plain(turn) for turn in conversation]).text
    return chat.processor(text=[rendered], **chat.reader.arguments(parts), return_tensors="pt")


def their_log_probs(model, given, sequence):
    log_probs = model(**given).logits[0].float().log_softmax(-1)
    return torch.stack([log_probs[at - 1, token] for at, token in enumerate(sequence.tokens) if sequence.labels[at]])


@pytest.mark.parametrize("family", [*SEEING, HEARING])
def test_tokens_are_the_processors_and_labels_are_the_assistants(models, media, family):
    chat, turns = chat_encoder(models(family)), conversation(media, family)
    sequence = chat.encode(turns)
    assert sequence.tokens == their_inputs(chat, turns)["input_ids"][0].tolist()
    learnt = [token for token, label in zip(sequence.tokens, sequence.labels, strict=True) if label]
    assert chat.tokenizer.decode(learnt) == "Red is first.<|im_end|>Blue.<|im_end|>"
    special = "<|AUDIO|>" if family == HEARING else chat.processor.image_token
    stood_for = [chat.tokenizer.decode(sequence.tokens[m.start : m.stop]) for m in sequence.media]
    assert len(stood_for) == 2
    assert all(special in words and "or" not in words.replace("around", "") for words in stood_for)
    assert sequence.tokens.count(chat.tokenizer.convert_tokens_to_ids(special)) == sum(words.count(special) for words in stood_for)


@pytest.mark.parametrize("family", [*SEEING, HEARING])
def test_log_probabilities_are_those_of_transformers_also_beside_other_sequences(models, media, family):
    chat, turns = chat_encoder(models(family)), conversation(media, family)
    sequence, words = chat.encode(turns), chat.encode([message("user", "Hello"), message("assistant", "A cat is here.")])
    ours, theirs = load_model(models(family)), load_model(models(family))
    with torch.no_grad():
        wanted = their_log_probs(theirs, their_inputs(chat, turns), sequence)
        plain = their_log_probs(theirs, {"input_ids": torch.tensor([words.tokens])}, words)
        found = label_log_probs(ours, pack([sequence, words, sequence], inputs_of=chat.inputs_of(ours)))
        packed = label_log_probs(ours, pack([words, words, chat.encode(turns[2:])]))
    torch.testing.assert_close(found, torch.cat([wanted, plain, wanted]), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(packed[: 2 * len(plain)], torch.cat([plain, plain]), rtol=1e-5, atol=1e-5)


def test_another_picture_gives_another_answer(models, media):
    chat, model = chat_encoder(models("qwen2_vl")), load_model(models("qwen2_vl"))
    values = []
    for name in ("red.png", "blue.jpg"):
        turns = [message("user", [part("image", media / name), text("What?")]), message("assistant", "A cat.")]
        with torch.no_grad():
            values.append(label_log_probs(model, pack([chat.encode(turns)], inputs_of=chat.inputs_of(model))))
    assert not torch.allclose(values[0], values[1])


def test_marks_of_the_template_say_what_is_learnt_behind_pictures_too(models, media):
    plain = chat_encoder(models("idefics3"))
    marked = chat_encoder(models("idefics3"))
    marked.tokenizer.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% if message['role'] == 'assistant' %}{% generation %}"
        "{{ message['content'][0]['text'] }}<|im_end|>{% endgeneration %}{% else %}{% for part in message['content'] %}"
        "{{ part['text'] if part['type'] == 'text' else '<image>' }}{% endfor %}<|im_end|>{% endif %}{{ '\n' }}{% endfor %}"
    )
    marked._marked = True
    turns = conversation(media, "idefics3")
    for since in (0, 3):
        assert marked.encode(turns, since=since) == plain.encode(turns, since=since)


def test_a_video_is_its_pictures_evenly_taken(models, media):
    chat = chat_encoder(models("qwen2_vl"), limits=MediaLimits(video_maxlen=4))
    model = load_model(models("qwen2_vl"))

    def asked(*parts):
        return chat.encode([message("user", [*parts, text("What?")]), message("assistant", "A cat.")])

    by_hand = asked(*(part("image", media / "frames" / f"{at:02}.png") for at in (0, 4, 7, 11)))
    for video in ("frames", "video.gif"):
        sequence = asked(part("video", media / video))
        assert sequence.tokens == by_hand.tokens
        assert [(m.start, m.stop) for m in sequence.media] == [(by_hand.media[0].start, by_hand.media[-1].stop)]
    give = chat.inputs_of(model)
    torch.testing.assert_close(give(asked(part("video", media / "frames")))["pixel_values"], give(by_hand)["pixel_values"])


def test_a_film_is_decoded(models, media, tmp_path):
    import av
    from PIL import Image

    from tunesmith_torch.data.multimodal.media_files import read_frames

    with av.open(str(tmp_path / "film.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for at in range(10):
            film.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 64), (at * 25,) * 3))))
        film.mux(stream.encode())
    brightness = [frame.getpixel((32, 32))[0] for frame in read_frames(part("video", tmp_path / "film.mp4"), MediaLimits(video_maxlen=3))]
    assert brightness == pytest.approx([0, 100, 225], abs=12)
    for fps, most, count in ((5, 8, 5), (5, 3, 3), (1, 8, 1), (100, 20, 10), (0, 20, 10)):
        assert len(read_frames(part("video", tmp_path / "film.mp4"), MediaLimits(most, fps))) == count


@pytest.mark.parametrize(
    ("limits", "frames"),
    [
        (MediaLimits(8), [0, 2, 3, 5, 6, 8, 9, 11]), (MediaLimits(20), list(range(12))), (MediaLimits(20, 2.0), [0, 5, 10]),
        (MediaLimits(2, 2.0), [0, 10]), (MediaLimits(20, 100.0), list(range(12))),
    ],
)  # fmt: skip
def test_pictures_of_a_video_are_taken_at_the_rate_that_is_asked_for(limits, frames):
    assert limits.wanted([at / 10 for at in range(12)]) == frames


def test_a_picture_with_too_many_pixels_is_made_smaller_and_keeps_its_shape(media):
    from tunesmith_torch.data.multimodal.media_files import read_frames, read_image

    assert read_image(part("image", media / "red.png")).size == (84, 56)
    assert read_image(part("image", media / "red.png"), MediaLimits(image_max_pixels=84 * 56)).size == (84, 56)
    assert read_image(part("image", media / "red.png"), MediaLimits(image_max_pixels=42 * 28)).size == (42, 28)
    assert {frame.size for frame in read_frames(part("video", media / "video.gif"), MediaLimits(image_max_pixels=49))} == {(7, 7)}


def test_a_sound_that_is_too_long_is_refused_and_not_cut(media):
    from tunesmith_torch.data.multimodal.media_files import read_sound

    assert len(read_sound(part("audio", media / "tone.wav"), 16000, MediaLimits(audio_max_seconds=1.0))) == 16000
    with pytest.raises(UserError, match=r"tone.wav is longer than 0.5 seconds") as raised:
        read_sound(part("audio", media / "tone.wav"), 16000, MediaLimits(audio_max_seconds=0.5))
    assert raised.value.code == "TS-DATA-096"


def test_a_smaller_picture_costs_fewer_tokens(models, media):
    turns = [message("user", [part("image", media / "red.png"), text("What?")]), message("assistant", "A cat.")]
    whole, small = (
        chat_encoder(models("qwen2_vl"), limits=limits).encode(turns) for limits in (MediaLimits(), MediaLimits(image_max_pixels=28 * 28))
    )
    assert len(small.tokens) < len(whole.tokens)


def test_what_the_model_does_not_take_is_refused_with_what_it_takes(models, media, tiny, tmp_path):
    sound, picture = part("audio", media / "tone.wav"), part("image", media / "red.png")
    (tmp_path / "broken.png").write_bytes(b"<html>404</html>")
    for directory, asked, code in (
        (models("qwen2_vl"), sound, "TS-DATA-032"),
        (models("qwen2_audio"), picture, "TS-DATA-032"),
        (tiny, picture, "TS-DATA-032"),
        (models("qwen2_vl"), part("image", tmp_path / "broken.png"), "TS-DATA-060"),
        (models("qwen2_vl"), part("image", tmp_path / "absent.png"), "TS-DATA-060"),
        (models("qwen2_vl"), {"type": "image", "url": "https://example.org/cat.png"}, "TS-DATA-060"),
    ):
        with pytest.raises(UserError) as caught:
            chat_encoder(directory).encode([message("user", [asked, text("What?")]), message("assistant", "A cat.")])
        assert caught.value.code == code


def test_a_word_that_stands_for_pictures_is_told_from_one(models, media):
    turns = [message("user", [part("image", media / "red.png"), text("What is <|image_pad|>?")]), message("assistant", "A cat.")]
    with pytest.raises(UserError) as caught:
        chat_encoder(models("qwen2_vl")).encode(turns)
    assert caught.value.code == "TS-DATA-062"


def test_a_model_that_sees_without_a_processor_is_told(models, tmp_path):
    import shutil

    shutil.copytree(models("qwen2_vl"), tmp_path / "bare")
    (tmp_path / "bare" / "preprocessor_config.json").unlink()
    with pytest.raises(UserError) as caught:
        chat_encoder(tmp_path / "bare")
    assert caught.value.code == "TS-TRAIN-060"


def test_no_cut_goes_through_a_picture(models, media):
    sequence = chat_encoder(models("idefics3")).encode(conversation(media, "idefics3"))
    first, second = sequence.media
    for length in range(1, len(sequence.tokens) + 1):
        short = shortened(sequence, length)
        assert len(short.tokens) <= length
        assert all(medium.stop <= len(short.tokens) for medium in short.media)
        assert len(short.tokens) == (first.start if first.start < length < first.stop else
                                     second.start if second.start < length < second.stop else length)  # fmt: skip


def test_adapters_go_on_the_language_part_unless_asked_to_go_further(models):
    model = load_model(models("qwen2_vl"))
    language, encoders = targets(model, ["all-linear"]), targets(model, ["all-encoders"])
    assert not set(language) & set(encoders)
    assert {name.split(".")[1] for name in language} == {"language_model"}
    assert {name.split(".")[1] for name in encoders} == {"visual"}
    assert set(targets(model, ["all-linear", "all-encoders"])) == set(language) | set(encoders)


def rows_of(media):
    rows = []
    for at in range(8):
        name, answer = (("red.png", "It is red."), ("blue.jpg", "It is blue!"))[at % 2]
        rows.append({"messages": [message("user", [part("image", media / name), text("What?")]), message("assistant", answer)]})
    return [*rows, {"messages": [message("user", "Hello"), message("assistant", "A cat is here.")]}]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen2_vl", "idefics3"])
def test_training_learns_what_peft_learns_and_peft_loads_it(bench, models, media, family):
    """Against a loop over transformers' model and PEFT's LoRA: same start, same batches, one row at a time."""
    from peft import PeftModel

    from tunesmith_torch.data.batch_sampler import BatchSampler
    from tunesmith_torch.training.seed import derived

    bench.base, rows = type(bench.base)("model/hf", models(family), digest="sha256:base"), rows_of(media)
    output, _ = bench.train(
        {"num_train_epochs": 2, "batch_size": 3, "lr_scheduler_type": "constant", "warmup_ratio": 0.0, "max_grad_norm": 0.0}, rows=rows
    )
    ours = bench.series("loss")

    begun, adapter = load_model(models(family)), Lora(LoraSettings(r=4, lora_alpha=8.0))
    adapter.attach(begun, seed=derived(7, "adapter"))
    start = bench.home / "start"
    start.mkdir()
    adapter.save(begun, start)
    theirs = PeftModel.from_pretrained(load_model(models(family)), start, is_trainable=True)
    chat, order = chat_encoder(models(family)), BatchSampler(len(rows), 3, 7)
    optimizer = torch.optim.AdamW([p for p in theirs.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.0)
    losses = []
    for number in range(len(ours)):
        batch = [rows[at]["messages"] for at in order.batch(number)]
        sequences = [chat.encode(turns) for turns in batch]
        sums = [their_log_probs(theirs, their_given(chat, turns, s), s).sum() for turns, s in zip(batch, sequences, strict=True)]
        loss = -sum(sums) / sum(sum(s.labels) for s in sequences)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert ours == pytest.approx(losses, rel=1e-4)
    assert ours[-1] < ours[0] - 0.2

    loaded = PeftModel.from_pretrained(load_model(models(family)), output)
    reloaded = load_model(models(family))
    adapter.load(reloaded, output)
    given = their_inputs(chat, rows[0]["messages"])
    with torch.no_grad():
        torch.testing.assert_close(reloaded(**given).logits, loaded(**given).logits, rtol=1e-5, atol=1e-5)
        folded = adapter.merge(reloaded)
        torch.testing.assert_close(folded(**given).logits, loaded(**given).logits, rtol=1e-4, atol=1e-4)


def their_given(chat, turns, sequence):
    return their_inputs(chat, turns) if sequence.media else {"input_ids": torch.tensor([sequence.tokens])}


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"max_tokens_per_microbatch": 1}, {"gradient_checkpointing": True}, {"dtype": "bfloat16"}])
def test_how_pictures_are_computed_does_not_change_what_is_learnt(bench, models, media, settings):
    bench.base = type(bench.base)("model/hf", models("qwen2_vl"), digest="sha256:base")
    rows = rows_of(media)
    bench.train({"max_steps": 3}, rows=rows, name="usual")
    usual = bench.series("loss")
    bench.notices.clear()
    bench.train({"max_steps": 3} | settings, rows=rows, name="other")
    assert bench.series("loss") == pytest.approx(usual, rel=1e-4 if "dtype" not in settings else 2e-2)


@pytest.mark.slow
def test_the_whole_model_is_saved_with_its_processor(bench, models, media):
    from tunesmith_full.adapter import Full
    from tunesmith_full.settings import FullSettings

    bench.base = type(bench.base)("model/hf", models("qwen2_audio"), digest="sha256:base")
    rows = [{"messages": [message("user", [part("audio", media / "tone.wav"), text("What?")]), message("assistant", "A tone.")]}] * 4
    output, _ = bench.train({"num_train_epochs": 4, "learning_rate": 5e-3}, rows=rows, adapter=Full(FullSettings()))
    assert bench.series("loss")[-1] < bench.series("loss")[0] - 0.5
    assert chat_encoder(output).encode(rows[0]["messages"]).media


def test_perplexity_of_pictures_is_what_transformers_computes(models, media, tmp_path):
    from tunesmith.contracts import Artifact
    from tunesmith.isolation.worker_step import WorkerStep
    from tunesmith_perplexity.evaluator import Perplexity
    from tunesmith_perplexity.settings import PerplexitySettings
    from tunesmith_sdk.testing.datasets import dataset

    rows, base = rows_of(media)[:3], Artifact("model/hf", models("idefics3"), digest="sha256:base")
    step = WorkerStep(name="score", output=tmp_path, work=tmp_path, notify=lambda *_: None)
    found = Perplexity(PerplexitySettings(dtype="float32")).evaluate(base, dataset(tmp_path / "rows", rows), step).metrics
    chat, model = chat_encoder(base), load_model(base)
    with torch.no_grad():
        sequences = [chat.encode(row["messages"]) for row in rows]
        log_probs = [their_log_probs(model, their_inputs(chat, row["messages"]), s) for row, s in zip(rows, sequences, strict=True)]
    assert found["nll"] == pytest.approx(-float(torch.cat(log_probs).mean()), rel=1e-5)


def test_learning_from_all_leaves_out_what_stands_for_pictures(models, media):
    from tunesmith_sft.objective import SupervisedTuning
    from tunesmith_sft.settings import SupervisedSettings

    chat, row = chat_encoder(models("qwen2_vl")), rows_of(media)[0]
    (sequence,) = SupervisedTuning(SupervisedSettings(train_on="all")).encode(row, chat).sequences
    (medium,) = sequence.media
    unlearnt = [at for at, label in enumerate(sequence.labels) if not label]
    assert unlearnt == [0, *range(medium.start, medium.stop)]
