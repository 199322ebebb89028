"""What sequences with pictures begin with in common goes through the model once, the pictures with it, and changes nothing."""

from __future__ import annotations

import pytest
import torch

from tunesmith_data.api import message
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_kto.objective import KahnemanTversky
from tunesmith_kto.settings import UtilitySettings
from tunesmith_pairs import encode_pair
from tunesmith_sdk.tiny_multimodal_models import tiny_multimodal
from tunesmith_torch.api.model import label_log_probs, load_model, pack
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder

FAMILIES = ("qwen2_vl", "qwen2_5_vl", "idefics3")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Two of different sizes, so that one takes more tokens and more room than the other."""
    from PIL import Image

    directory = tmp_path_factory.mktemp("pictures")
    Image.new("RGB", (84, 56), (200, 30, 30)).save(directory / "red.png")
    Image.new("RGB", (56, 56), (30, 30, 200)).save(directory / "blue.png")
    Image.new("RGB", (84, 56), (30, 200, 30)).save(directory / "green.png")
    return directory


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    made = {}

    def of(family: str):
        if family not in made:
            made[family] = tiny_multimodal(tmp_path_factory.mktemp(family), family=family)
        return made[family]

    return of


def asked(pictures, *names: str) -> list:
    parts = [{"type": "image", "path": str(pictures / f"{name}.png")} for name in names]
    return [message("system", "Look at the pictures and say what they show."),
            message("user", [*parts, {"type": "text", "text": "Which colour is it, please, and why?"}])]  # fmt: skip


def pair(pictures, *names: str, answer: str = "It is red.") -> dict:
    return {
        "messages": asked(pictures, *names),
        "chosen": [message("assistant", answer)],
        "rejected": [message("assistant", "No idea at all!")],
    }


def sequences(chat, rows) -> list:
    return [sequence for row in rows for sequence in encode_pair(row, chat).sequences]


def values_and_gradient(model, chat, given, *, once: bool):
    packed = pack(given, share_media=once, inputs_of=chat.inputs_of(model))
    found = label_log_probs(model, packed)
    weights = torch.linspace(-1, 1, len(found))
    gradients = torch.autograd.grad((found * weights).sum(), [p for p in model.parameters() if p.requires_grad], allow_unused=True)
    return packed, found.detach(), [gradient for gradient in gradients if gradient is not None]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pair_has_its_pictures_once_with_the_same_values_and_gradients(models, pictures, family):
    """Also where the answers go on with a picture of their own, and where another row begins with the same tokens and another picture."""
    chat, model = chat_encoder(models(family)), load_model(models(family)).requires_grad_()
    shown = {"messages": asked(pictures, "red", "blue")[1:], "chosen": [message("assistant", "Red.")], "rejected": [
        message("assistant", "What is this?"), *asked(pictures, "green")[1:], message("assistant", "It is green.")]}  # fmt: skip
    given = sequences(chat, [pair(pictures, "red"), pair(pictures, "green"), shown])
    whole, wanted, gradients = values_and_gradient(model, chat, given, once=False)
    once, found, others = values_and_gradient(model, chat, given, once=True)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-5)
    image = chat.tokenizer.convert_tokens_to_ids(chat.processor.image_token)
    counted = [int((packed.tokens == image).sum()) for packed in (whole, once)]
    red, green = (chat.encode(asked(pictures, name)).tokens.count(image) for name in ("red", "green"))
    assert red == green > 0
    both = chat.encode(asked(pictures, "red", "blue")).tokens.count(image)
    assert counted == [2 * red + 2 * green + 2 * both + green, red + green + both + green]


def train(bench, models, family, objective, rows, settings=None):
    bench.base = type(bench.base)("model/hf", models(family), digest="sha256:base")
    bench.notices.clear()
    bench.train({"num_train_epochs": 6, "batch_size": 4, "learning_rate": 2e-2} | (settings or {}), rows=rows, objective=objective)
    return bench.series("loss")


def decided(bench, words: str) -> bool:
    return any(words in str(notice) for notice in bench.notices)


def pairs_of(pictures) -> list:
    answers = {"red": "It is red.", "blue": "It is blue!", "green": "Green it is."}
    return [pair(pictures, name, answer=answer) for name, answer in answers.items()] * 4


def judged_of(pictures) -> list:
    return [{"messages": row["messages"], "answer": row[side], "label": side == "chosen"}
            for row in pairs_of(pictures) for side in ("chosen", "rejected")]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "name"),
    [("qwen2_vl", "dpo"), *(pytest.param(*case, marks=pytest.mark.slow) for case in (("qwen2_vl", "kto"), ("idefics3", "dpo")))],
)
def test_preferences_of_pictures_are_learned(bench, models, pictures, family, name):
    made = {"dpo": (DirectPreference(PreferenceSettings()), pairs_of), "kto": (KahnemanTversky(UtilitySettings()), judged_of)}
    objective, rows = made[name]
    losses = train(bench, models, family, objective, rows(pictures))
    assert losses[-1] < {"dpo": 0.5, "kto": 0.9}[name] * losses[0]
    assert decided(bench, "images and sounds of a common beginning once")


def test_how_pictures_are_shared_does_not_change_what_is_learned(bench, models, pictures):
    objective = DirectPreference(PreferenceSettings())
    usual = train(bench, models, "qwen2_vl", objective, pairs_of(pictures), {"num_train_epochs": 1})
    alone = train(bench, models, "qwen2_vl", objective, pairs_of(pictures), {"num_train_epochs": 1, "max_tokens_per_microbatch": 1})
    assert alone == pytest.approx(usual, rel=1e-5)
