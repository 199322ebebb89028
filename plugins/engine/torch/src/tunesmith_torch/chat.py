"""Conversations to tokens, with labels on what the assistant says.

Where a turn of the assistant begins and ends is taken from the chat template itself: from its ``{% generation %}`` marks if it has them,
otherwise by rendering the conversation up to the turn (with the prompt that asks for an answer) and up to its end. The whole text is
then tokenized once, so that the tokens are those that the model will meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.contracts import Message, TokenSequence, UserError, text_of

Span = tuple[int, int]  # of characters


class ChatTokenizer:
    """A tokenizer's chat template as objectives see it (`tunesmith.contracts.objective.ChatEncoder`).

    Raises:
        UserError: TS-DATA-030 when the tokenizer has no chat template.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        template = tokenizer.chat_template
        if isinstance(template, Mapping):
            template = template.get("default")
        if not template:
            raise UserError(
                "TS-DATA-030", "The model's tokenizer has no chat template, so conversations can't be written as it expects them",
                fix="Use an instruction-tuned model, or put a chat_template.jinja beside its tokenizer files.",
            )  # fmt: skip
        # A tokenizer.json may carry the truncation of whoever saved it; rows are cut by the engine, which says so.
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
        self._marked = "{% generation" in template or "{%- generation" in template
        self._special = set(tokenizer.all_special_tokens) | {str(t) for t in tokenizer.added_tokens_decoder.values()}

    def encode(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), *, since: int = 0) -> TokenSequence:
        """The conversation with labels on the assistant's turns, end-of-turn token included, from message `since` on.

        Raises:
            UserError: TS-DATA-031 when the template renders a prefix of the conversation differently from the whole; TS-DATA-032 for
                media that the model does not take; TS-DATA-036 when the template refuses the conversation.
        """
        plain = [self._plain(message) for message in messages]
        text = self._render(plain, tools)
        if self._marked:
            tokens, offsets, labels = self._by_marks(plain, tools)
            if since:
                start = self._prefix(text, plain[:since], tools, prompt=False)
                labels = [label and begin >= start for label, (begin, _) in zip(labels, offsets, strict=True)]
        else:
            encoding = self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
            tokens = encoding.ids
            spans = [self._turn(text, plain, at, tools) for at in range(since, len(plain)) if _is_answer(plain[at])]
            labels = _within(encoding, len(tokens), spans)
        if labels:
            labels[0] = False  # nothing predicts the first token
        return TokenSequence(tokens, labels)

    def end_of(self, messages: Sequence[Message], number: int, tools: Sequence[Mapping[str, Any]] = ()) -> int:
        """Where in the conversation's text the first `number` messages end, in characters.

        Raises:
            UserError: TS-DATA-031 and -036, as `encode`.
        """
        plain = [self._plain(message) for message in messages]
        return self._prefix(self._render(plain, tools), plain[:number], tools, prompt=False)

    def inputs_of(self, model: Any) -> Callable[[TokenSequence], Mapping[str, Any]] | None:
        """What `model` is given of a sequence's media; None where sequences have none."""
        return None

    def _plain(self, message: Message) -> dict[str, Any]:
        """As templates read it: the content one string."""
        other = sorted({part["type"] for part in message["content"]} - {"text"})
        if other:
            raise UserError(
                "TS-DATA-032", f"The row has a part of type {other[0]}, which the model does not take",
                why="It is a model of text: nothing in it sees or hears.", fix="Use a model that does, or leave such rows out.",
            )  # fmt: skip
        return {**message, "content": text_of(message)}

    def _by_marks(self, plain: list[dict[str, Any]], tools: Sequence[Any]) -> tuple[list[int], list[Span], list[bool]]:
        encoded = self.tokenizer.apply_chat_template(
            plain, tools=list(tools) or None, tokenize=True, return_dict=True, return_assistant_tokens_mask=True,
            tokenizer_kwargs={"return_offsets_mapping": True},
        )  # fmt: skip
        return list(encoded["input_ids"]), list(encoded["offset_mapping"]), [bool(m) for m in encoded["assistant_masks"]]

    def _turn(self, text: str, plain: list[dict[str, Any]], at: int, tools: Sequence[Any]) -> Span:
        """Where the answer `plain[at]` lies in `text`: from after the prompt that asks for it to its end-of-turn token."""
        start = self._prefix(text, plain[:at], tools, prompt=True)
        end = len(text) if at + 1 == len(plain) else self._prefix(text, plain[: at + 1], tools, prompt=False)
        turn = text[start:end]
        # What a template writes after the end-of-turn token (a line break) is never generated, so it is not learnt.
        bare = turn.rstrip()
        if any(bare.endswith(token) for token in self._special):
            end = start + len(bare)
        return start, end

    def _prefix(self, text: str, plain: list[dict[str, Any]], tools: Sequence[Any], *, prompt: bool) -> int:
        if not plain and not prompt:
            return 0
        prefix = self._render(plain, tools, prompt=prompt)
        if text.startswith(prefix):
            return len(prefix)
        raise UserError(
            "TS-DATA-031", f"The chat template writes the first {len(plain)} messages of a conversation differently once more follow",
            why="So it can't be told which tokens are the assistant's.",
            fix="Use rows with one answer each, or a template that marks answers with {% generation %}.",
        )  # fmt: skip

    def _render(self, plain: list[dict[str, Any]], tools: Sequence[Any], *, prompt: bool = False) -> str:
        try:
            return self.tokenizer.apply_chat_template(plain, tools=list(tools) or None, tokenize=False, add_generation_prompt=prompt)
        except Exception as error:  # templates raise whatever they like: jinja's errors, IndexError, TypeError
            raise UserError(
                "TS-DATA-036", f"The model's chat template refuses the conversation {[m['role'] for m in plain]}: {error}",
                fix="Bring the row into the order of roles that the model knows.",
            ) from error  # fmt: skip


def _is_answer(message: Mapping[str, Any]) -> bool:
    return message["role"] == "assistant"


def _within(encoding: Any, count: int, spans: Sequence[Span]) -> list[bool]:
    """Whether each of `count` tokens begins within one of the spans. Only the spans' ends are looked up: offsets of all cost as much as
    a third of tokenizing.
    """
    labels = [False] * count
    for start, end in spans:
        first, last = _token_from(encoding, count, start), _token_from(encoding, count, end)
        labels[first:last] = [True] * (last - first)
    return labels


def _token_from(encoding: Any, count: int, character: int) -> int:
    """The first token that begins at `character` or after it. Several may begin at one: a letter of several bytes."""
    at = encoding.char_to_token(character)
    if at is None:  # past the end, or of a space that no token has
        return next((number for number, (begin, _) in enumerate(encoding.offsets) if begin >= character), count)
    while at and encoding.token_to_chars(at - 1)[0] >= character:
        at -= 1
    while at < count and encoding.token_to_chars(at)[0] < character:
        at += 1
    return int(at)
