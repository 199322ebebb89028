"""What an environment replies as the tokens that stand between two answers of the model.

They are what the chat template writes behind an answer: its end, the messages, and the words that ask for the next answer. The answer
itself stands as it was sampled, so the template is given another one in its place, and what comes before that is thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer

_ANSWER = "an answer in the place of the one that was sampled"

Messages = Sequence[Mapping[str, Any]]


def opening_tokens(chat: ChatTokenizer, messages: Messages, tools: Sequence[Mapping[str, Any]]) -> list[int]:
    """The conversation that the model answers first.

    Args:
        messages: with a text as their content.

    Raises:
        UserError: what the template says of the conversation; TS-DATA-030 without one.
    """
    text = chat.template.render(messages, tools, prompt=True).text
    return list(chat.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)


def reply_tokens(
    chat: ChatTokenizer, opening: Messages, reply: Messages, tools: Sequence[Mapping[str, Any]], *, ended: bool
) -> list[int]:  # fmt: skip
    """
    Args:
        opening: the episode's, before the answer.
        ended: whether the last token of the answer is one that ends a turn; otherwise it ended at a text (`Sampling.stop`), and what the
            template writes behind it is part of what the model reads.

    Raises:
        UserError: TS-REWARD-015 where the template does not write the reply; what it says of the conversation.
    """
    mark = _ANSWER
    while any(mark in str(message.get("content")) for message in (*opening, *reply)):
        mark += "."
    said = {"role": "assistant", "content": mark}
    text = chat.template.render([*opening, said, *reply], tools, prompt=True).text
    _, found, behind = text.rpartition(mark)
    missing = [message for message in reply if str(message["content"]).strip() not in behind]
    if not found or missing:
        role = missing[0]["role"] if missing else "assistant"
        raise UserError(
            "TS-REWARD-015", f"The model's chat template does not write what the environment replies (role `{role}`)",
            why="The model would go on without having read it.",
            fix="Take a model whose template knows the role, or have the environment reply as `user`.",
        )  # fmt: skip
    end = chat.turn_end or ""
    behind = behind.removeprefix(end)
    tokens = list(chat.tokenizer.backend_tokenizer.encode(end + behind, add_special_tokens=False).ids)
    number = chat.tokenizer.backend_tokenizer.token_to_id(end) if end else None
    return tokens[1:] if ended and number is not None and tokens[:1] == [number] else tokens
