"""`tunesmith model info`: what it tells of configurations, folders and names."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models

from tunesmith.errors import UserError
from tunesmith_model.commands import main
from tunesmith_model.source import licence_of
from tunesmith_model.text import page

MOE = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
    "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8,
    "vocab_size": 151936, "max_position_embeddings": 40960, "tie_word_embeddings": False, "dtype": "bfloat16",
}  # fmt: skip
TEMPLATE = "{% for one in messages %}<{{ one.role }}>{{ one.content }}<end>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"


def asked(*words: str) -> Any:
    with redirect_stdout(StringIO()) as said:
        assert main(["info", *words]) == 0
    return json.loads(said.getvalue()) if "--json" in words else said.getvalue()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("moe") / "config.json"
    file.write_text(json.dumps(MOE))
    return file


@pytest.fixture(scope="module")
def told(config: Path) -> dict[str, Any]:
    return asked(str(config), "--json")


def test_of_a_model_with_experts_it_tells_all_parameters_and_those_that_compute_a_token(told: dict[str, Any]) -> None:
    made = told["architecture"]
    assert made["parameters"] == pytest.approx(30.5e9, rel=0.01)  # as published
    assert made["active_parameters"] == pytest.approx(3.3e9, rel=0.03)
    assert (made["experts"], made["experts_used"], made["context"], made["takes"]) == (128, 8, 40960, ["text"])
    assert told["model"]["known_from"] == "configuration"


def test_who_would_refuse_this_model_says_why(told: dict[str, Any]) -> None:
    quantizers = {one["name"]: one["why_not"] for one in told["formats"]["quantizer"]}
    assert quantizers["awq"] == ""
    assert "experts" in quantizers["gptq"]


def test_the_smallest_card_that_it_fits_on_is_one_that_it_fits_on(config: Path, told: dict[str, Any]) -> None:
    serving = next(one for one in told["fits"] if one["on"] and one["verb"] == "serve")
    assert serving["fits"]
    there = asked(str(config), "--on", serving["on"], "--json")["fits"]
    assert next(one["fits"] for one in there if one["verb"] == "serve")


def test_the_page_tells_the_same_in_words(told: dict[str, Any]) -> None:
    said = page(told)
    assert "3.353 billion compute a token: 8 of 128 experts" in said
    assert "not gptq" in said


def test_of_a_folder_it_shows_a_conversation_and_the_stop_tokens(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"<end>": 0, "?": 1}, unk_token="?"))
    tokenizer.add_special_tokens(["<end>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end>", "chat_template": TEMPLATE}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(said))
    (tmp_path / "config.json").write_text(json.dumps({**MOE, "model_type": "qwen3"}))
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n")
    (tmp_path / "model.safetensors").write_bytes(
        bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{}",
    )
    told = asked(str(tmp_path), "--json")
    assert told["chat"]["example"].endswith("<user>And at sunset?<end><assistant>")
    assert told["chat"]["stops"] == [{"id": 0, "token": "<end>"}]
    assert (told["model"]["licence"], told["model"]["licence_said_by"]) == ("mit", "README.md")


def test_a_name_of_the_catalogue_needs_no_network() -> None:
    told = asked("qwen3-8b", "--json")
    assert told["model"]["uri"] == "hf://Qwen/Qwen3-8B"
    assert told["model"]["known_from"] == "catalogue"
    assert told["model"]["licence"] == "Apache-2.0"
    assert "not here" in told["chat"]["why_not"]


def test_a_configuration_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text("[1]")
    with pytest.raises(UserError) as told:
        main(["info", str(file)])
    assert told.value.code == "TS-CLI-017"


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: 'apache-2.0'\n---\n", "apache-2.0"),
        ("# no front matter\nlicense: mit\n", ""),
        ("---\ntitle: x\n---\nlicense: mit\n", ""),
    ],
)
def test_a_licence_is_what_the_front_matter_names(tmp_path: Path, card: str, licence: str) -> None:
    file = tmp_path / "README.md"
    file.write_text(card)
    assert licence_of(file) == licence


def test_a_name_that_is_nearly_one_of_the_catalogue_is_told_which() -> None:
    with pytest.raises(UserError) as told:
        main(["info", "Qwen/Qwen3-9B"])
    assert "Qwen/Qwen3-8B" in told.value.fix
