"""Training, merging and serving agree on the tokens at which a model stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact
from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import CHAT_TEMPLATE, tiny_model, tiny_tokenizer
from tunesmith_torch.data.chat_template.eos_tokens import named_ends, unnamed_end
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
from tunesmith_torch.data.tokenizer.loader import load_tokenizer
from tunesmith_torch.data.tokenizer.model_eos_tokens import ends_of_model, name_ends

ROWS = [{"messages": [message("user", "Hi"), message("assistant", "Paris.")]}] * 4


@pytest.fixture
def base(tmp_path) -> Path:
    """A model as bases with a template of others are: every file says that it stops at <|endoftext|>, its template ends turns otherwise."""
    directory = tiny_model(tmp_path / "base", eos_token_id=0)
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = "<|endoftext|>"
    tokenizer.save_pretrained(directory)
    (directory / "generation_config.json").write_text(json.dumps({"eos_token_id": 0, "temperature": 0.7}))
    return directory


def end_of_turn(directory: Path) -> int:
    return load_tokenizer(directory).convert_tokens_to_ids("<|im_end|>")


def test_the_end_that_the_template_writes_is_one_of_the_models(base):
    ends, doubt = ends_of_model(base, load_tokenizer(base))
    assert ends == {0, end_of_turn(base)}
    assert "<|im_end|>" in doubt
    assert "<|endoftext|>" in doubt


def test_a_model_whose_files_name_it_is_told_nothing(tmp_path):
    directory = tiny_model(tmp_path / "m")
    assert ends_of_model(directory, load_tokenizer(directory)) == (frozenset({end_of_turn(directory)}), "")


def test_of_two_ends_the_one_that_the_files_name_counts():
    """GPT-OSS ends its last answer with one token and earlier ones with another, after which it goes on."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["<|return|>"], special_tokens=True)
    tokenizer.eos_token = "<|return|>"
    tokenizer.chat_template = CHAT_TEMPLATE.replace(
        "<|im_end|>", "{% if loop.last and message['role'] == 'assistant' %}<|return|>{% else %}<|im_end|>{% endif %}"
    )
    chat = ChatTokenizer(tokenizer)
    assert chat.turn_end == "<|return|>"
    assert unnamed_end(chat) == ""


def test_what_is_merged_names_all_ends_and_keeps_the_rest(base):
    name_ends(base)
    generation = json.loads((base / "generation_config.json").read_text())
    assert generation == {"eos_token_id": sorted({0, end_of_turn(base)}), "temperature": 0.7}
    before = (base / "generation_config.json").read_bytes()
    name_ends(base)
    assert (base / "generation_config.json").read_bytes() == before


def test_training_warns_and_says_which_ends_its_model_has(bench, base):
    bench.base = Artifact("model/hf", base, digest="sha256:stranger")
    _, result = bench.train({"max_steps": 1}, rows=ROWS)
    assert result.meta["end_tokens"] == sorted({0, end_of_turn(base)})
    warnings = [p["message"] for method, p in bench.notices if method == "$/log" and p["level"] == "warning"]
    assert any("ends turns with <|im_end|>" in warning for warning in warnings)


def test_a_whole_model_that_is_trained_names_them(bench, base):
    from tunesmith_full.adapter import Full
    from tunesmith_full.settings import FullSettings

    bench.base = Artifact("model/hf", base, digest="sha256:stranger")
    output, _ = bench.train({"max_steps": 1}, rows=ROWS, adapter=Full(FullSettings()))
    assert named_ends(output) == {0, end_of_turn(base)}


def test_answers_whose_first_token_begins_in_the_prompt_are_warned_of(bench, base):
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )
    tokenizer.save_pretrained(base)
    bench.base = Artifact("model/hf", base, digest="sha256:stranger")
    word = next(token[1:] for token in tokenizer.get_vocab() if token.startswith("Ġ") and token[1:].isalpha())
    rows = [{"messages": [message("user", word), message("assistant", word)]}] * 4
    for _ in range(2):  # the second run finds the tokens again
        bench.notices.clear()
        bench.train({"max_steps": 1}, rows=rows)
        warnings = [p["message"] for method, p in bench.notices if method == "$/log" and p["level"] == "warning"]
        assert any("first token of 4 of 4 answers begins in the words that ask for it" in warning for warning in warnings)


def test_a_thought_that_the_template_leaves_out_is_told(bench):
    rows = [{"messages": [message("user", "Hi"), message("assistant", "Paris.") | {"reasoning_content": "France?"}]}] * 2
    bench.train({"max_steps": 1}, rows=rows)
    warnings = [p["message"] for method, p in bench.notices if method == "$/log" and p["level"] == "warning"]
    assert any("thought before 2 of 2 answers is not trained on" in warning for warning in warnings)
