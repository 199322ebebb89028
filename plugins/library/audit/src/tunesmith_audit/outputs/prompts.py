"""The conversations that parent and child are held against each other on: our own, shipped, and the same for every model."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

Conversation = Sequence[dict[str, str]]


def conversations(own: Sequence[str] = ()) -> tuple[Conversation, ...]:
    """As messages with role and content; the assistant's are there, so that nothing has to be generated.

    Args:
        own: the user's prompts, which come last.
    """
    return _shipped() + tuple([{"role": "user", "content": prompt}] for prompt in own)


@functools.cache
def _shipped() -> tuple[Conversation, ...]:
    text = resources.files(__package__).joinpath("prompts.jsonl").read_text("utf-8")
    return tuple(json.loads(line)["messages"] for line in text.splitlines())


def token_ids(tokenizer: Any, own: Sequence[str] = ()) -> list[list[int]]:
    """Each conversation in the tokenizer's chat template; without one, its texts, line after line."""
    return [_ids(tokenizer, messages) for messages in conversations(own)]


def beginning_ids(tokenizer: Any) -> list[list[int]]:
    """Each conversation without its last answer, with what the template begins an answer with; none where there is no template."""
    if not getattr(tokenizer, "chat_template", None):
        return []
    return [_ids(tokenizer, messages[:-1], add_generation_prompt=True) for messages in conversations()]


def _ids(tokenizer: Any, messages: Conversation, **options: Any) -> list[int]:
    if getattr(tokenizer, "chat_template", None):
        try:
            return list(tokenizer.apply_chat_template(list(messages), tokenize=True, return_dict=False, **options))
        except Exception:  # the template's own refusal: of the role `system`, for one
            users = [one for one in messages if one["role"] != "system"]
            return list(tokenizer.apply_chat_template(users, tokenize=True, return_dict=False, **options))
    return list(tokenizer("\n".join(one["content"] for one in messages))["input_ids"])
