"""Faults in tokenizer, chat template and generation config: the weights are the parent's, and answers are nonsense or don't end.

No logits over given ids can show them. The gate sees them where it renders conversations with both and compares ids, text and end tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .case import copy, fault
from .model_files import edited_json

TEMPLATE = "chat_template.jinja"


@fault("llama", "stops", "gate", thread="unsloth#7792")
def wrong_eos(parent: Path, child: Path) -> None:
    """Config and generation config name another token as the end of an answer: it goes on for ever."""
    _set(copy(parent, child), "config.json", eos_token_id=0)
    _set(child, "generation_config.json", eos_token_id=0)


@fault("llama", "stops", "gate", thread="LLaMA-Factory#6020")
def generation_config_lost_a_stop_token(parent: Path, child: Path) -> None:
    """Of two tokens that end an answer the generation config has one."""
    _set(copy(parent, child), "generation_config.json", eos_token_id=0)


@fault("llama", "stops", "gate")
def generation_config_missing(parent: Path, child: Path) -> None:
    """Without the generation config only the config's end token is left."""
    (copy(parent, child) / "generation_config.json").unlink()


@fault("llama", "stops", "gate", thread="trl#5988")
def tokenizer_with_another_eos(parent: Path, child: Path) -> None:
    """The tokenizer calls another token the end than the one that the chat template closes a turn with."""
    _set(copy(parent, child), "tokenizer_config.json", eos_token="<|endoftext|>")


@fault("llama", "ids", "gate", thread="unsloth#7792")
def template_off(parent: Path, child: Path) -> None:
    """The chat template is not there."""
    (copy(parent, child) / TEMPLATE).unlink()


@fault("llama", "ids", "gate", thread="lm-evaluation-harness#1841")
def template_of_another_family(parent: Path, child: Path) -> None:
    """The chat template is another family's: its markers are plain text to this tokenizer."""
    turns = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }} [/{{ m['role'] }}]\n{% endfor %}"
    (copy(parent, child) / TEMPLATE).write_text(turns + "{% if add_generation_prompt %}[assistant] {% endif %}")


@fault("llama", "ids", "gate")
def template_with_another_newline(parent: Path, child: Path) -> None:
    """The chat template lost the line break after the generation prompt."""
    _replace(copy(parent, child) / TEMPLATE, "assistant\n{% endif %}", "assistant{% endif %}")


@fault("llama", "ids", "gate")
def template_with_a_system_prompt(parent: Path, child: Path) -> None:
    """The chat template begins with a system prompt that the parent's has not."""
    file = copy(parent, child) / TEMPLATE
    file.write_text(
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}" + file.read_text()
    )


@fault("llama", "ids", "gate", thread="unsloth#3899")
def begin_token_added_to_texts(parent: Path, child: Path) -> None:
    """The tokenizer puts a begin token before each text."""
    with edited_json(copy(parent, child), "tokenizer.json") as tokenizer:
        begin, text = {"SpecialToken": {"id": "<|im_start|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
        tokenizer["post_processor"] = {
            "type": "TemplateProcessing", "single": [begin, text], "pair": [begin, text, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|im_start|>": {"id": "<|im_start|>", "ids": [1], "tokens": ["<|im_start|>"]}},
        }  # fmt: skip


@fault("llama", "ids", "gate", thread="verl#7658")
def tokenizer_of_another_revision(parent: Path, child: Path) -> None:
    """The tokenizer is of another revision: as many tokens, some with other ids."""
    with edited_json(copy(parent, child), "tokenizer.json") as tokenizer:
        vocabulary = tokenizer["model"]["vocab"]
        words = sorted((word for word in vocabulary if vocabulary[word] >= 280), key=vocabulary.__getitem__)
        ids = [vocabulary[word] for word in words]
        vocabulary.update(zip(words, [*ids[1:], ids[0]], strict=True))


@fault("llama", "ids", "gate")
def merges_lost(parent: Path, child: Path) -> None:
    """Some of the tokenizer's merges were lost: texts fall into more pieces."""
    with edited_json(copy(parent, child), "tokenizer.json") as tokenizer:
        del tokenizer["model"]["merges"][10:]


@fault("llama", "ids", "gate")
def added_tokens_shifted(parent: Path, child: Path) -> None:
    """The tokens that begin and end a turn have each other's ids."""
    with edited_json(copy(parent, child), "tokenizer.json") as tokenizer:
        one, other = "<|im_start|>", "<|im_end|>"
        vocabulary = tokenizer["model"]["vocab"]
        vocabulary[one], vocabulary[other] = vocabulary[other], vocabulary[one]
        for token in tokenizer["added_tokens"]:
            token["id"] = vocabulary[token["content"]]


@fault("llama", "ids", "gate", thread="unsloth#2374")
def special_token_is_plain_text(parent: Path, child: Path) -> None:
    """The token that ends a turn is no special token any more: it is cut into pieces."""
    copy(parent, child)
    with edited_json(child, "tokenizer.json") as tokenizer:
        tokenizer["added_tokens"] = [token for token in tokenizer["added_tokens"] if token["content"] != "<|im_end|>"]
        vocabulary = tokenizer["model"]["vocab"]
        vocabulary["<|unused|>"] = vocabulary.pop("<|im_end|>")
    _set(child, "tokenizer_config.json", eos_token="<|endoftext|>")


@fault("llama", "ids", "gate")
def texts_in_lower_case(parent: Path, child: Path) -> None:
    """The tokenizer came back with a normalizer that the parent's has not."""
    _set(copy(parent, child), "tokenizer.json", normalizer={"type": "Lowercase"})


@fault("llama", "ids", "gate", thread="LLaMA-Factory#6320")
def pre_tokenizer_lost(parent: Path, child: Path) -> None:
    """The tokenizer cuts texts at other places, as when a converter does not know its kind and takes the usual one."""
    with edited_json(copy(parent, child), "tokenizer.json") as tokenizer:
        pieces = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": False}
        parts = [{"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Isolated"}, pieces]
        tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": parts}


@fault("llama", "text", "gate")
def decoder_lost(parent: Path, child: Path) -> None:
    """The ids are right, but what is made of them is not: bytes stand as they are written in the vocabulary."""
    _set(copy(parent, child), "tokenizer.json", decoder=None)


def _set(directory: Path, name: str, **values: Any) -> None:
    with edited_json(directory, name) as content:
        content.update(values)


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
