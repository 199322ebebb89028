"""Conversations to tokens, with labels on what the assistant says; and texts to tokens.

The whole text is written by the chat template and tokenized once, so that the tokens are those that the model will meet; where the answers
lie in it is the affair of `chat_template.assistant_spans`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import Message, Row, text_of
from tunesmith_torch.api import ChatEncoder, Group, Objective, ReadsNext, TokenSequence
from tunesmith_torch.data.chat_template.assistant_spans import AssistantSpans, Span
from tunesmith_torch.data.chat_template.eos_tokens import turn_end
from tunesmith_torch.data.chat_template.label_warnings import LabelWarnings
from tunesmith_torch.data.chat_template.template import ChatTemplate


class ChatTokenizer:
    """A tokenizer's chat template as objectives see it (`tunesmith_torch.api.objective.ChatEncoder`).

    Args:
        tokenizer: a fast one of transformers, or a plain one.
        ends: ids of the tokens at which the model stops, beside the tokenizer's own.

    `label_warnings` counts the answers of all conversations so far that would not be trained on as they are asked for. A tokenizer without
    a chat template encodes texts alone.
    """

    def __init__(self, tokenizer: Any, ends: Collection[int] = ()) -> None:
        self.tokenizer = tokenizer
        self.template = ChatTemplate.of(tokenizer)
        # A tokenizer.json may carry the truncation of whoever saved it; rows are cut by the engine, which says so.
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
        added = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items()}
        special = set(tokenizer.all_special_tokens) | set(added.values())
        own = tokenizer.special_tokens_map.get("eos_token")
        #: texts of the tokens at which the model stops as its files say
        self.configured = frozenset({added[number] for number in ends if number in added} | ({str(own)} if own else set()))
        #: the token with which the template ends a turn of the assistant; None where it writes none
        self.turn_end = turn_end(AssistantSpans(self.template, special), self.configured)
        self.answers = AssistantSpans(self.template, special, self.configured | ({self.turn_end} if self.turn_end else set()))
        self.label_warnings = LabelWarnings()

    def encode(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), *, since: int = 0, ends: Sequence[int] = ()
    ) -> TokenSequence:  # fmt: skip
        """The conversation with labels on the assistant's turns from message `since` on, end-of-turn token included; places at `ends`.

        Raises:
            UserError: TS-DATA-030 without a chat template; TS-DATA-031, -036, -038 and -039 when it does not write the conversation so that
                it can be trained on; TS-DATA-032 for media that the model does not take; TS-DATA-077 and -078 for `ends` that can't be
                told.
        """
        text, spans = self._text_and_spans([self.plain(message) for message in messages], tools, since)
        encoding = self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
        tokens = encoding.ids
        labels = _within(encoding, len(tokens), spans)
        self._look_at_starts(encoding, spans)
        if labels:
            labels[0] = False  # nothing predicts the first token
        return TokenSequence(tokens, labels, places=_places(encoding, ends_in(text, spans, messages, ends)))

    def encode_prompt(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> TokenSequence:
        """As `tunesmith_torch.api.objective.ChatEncoder` says.

        Raises:
            UserError: TS-DATA-030 without a chat template; TS-DATA-032 for media: prompts to be sampled from are texts.
        """
        text = self.template.render([self.plain(message) for message in messages], tools, prompt=True).text
        tokens = list(self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)
        return TokenSequence(tokens, [False] * len(tokens))

    def encode_text(self, text: str, *, ended: bool = False, ends: Sequence[int] = ()) -> TokenSequence:
        """As `tunesmith_torch.api.objective.ChatEncoder` says."""
        encoding = self.tokenizer.backend_tokenizer.encode(text)
        tokens, places = list(encoding.ids), _places(encoding, ends)
        if ended and tokens[-1:] != [self.end_token]:
            tokens.append(self.end_token)
        return TokenSequence(tokens, [at > 0 for at in range(len(tokens))], places=places)

    @property
    def end_token(self) -> int:
        """Id of the tokenizer's own, which ends a text.

        Raises:
            UserError: TS-TRAIN-100 when it has none.
        """
        name = self.tokenizer.special_tokens_map.get("eos_token")
        found = self.tokenizer.backend_tokenizer.token_to_id(str(name)) if name else None
        if found is None:
            raise UserError(
                "TS-TRAIN-100", "The model's tokenizer has no end token, and texts are to end with it",
                fix="Name it as `eos_token` in the model's tokenizer_config.json, or use another model.",
            )  # fmt: skip
        return int(found)

    def ends_of(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> list[int]:
        """Where in the conversation's text each message ends, in characters.

        Raises:
            UserError: TS-DATA-031 and -036, as `encode`.
        """
        return self.answers.ends_of([self.plain(message) for message in messages], tools)

    def inputs_of(self, model: Any) -> Callable[[TokenSequence], Mapping[str, Any]] | None:
        """What `model` is given of a sequence's media; None where sequences have none."""
        return None

    def plain(self, message: Message) -> dict[str, Any]:
        """As templates read it: the content one string."""
        other = sorted({part["type"] for part in message["content"]} - {"text"})
        if other:
            raise UserError(
                "TS-DATA-032", f"The row has a part of type {other[0]}, which the model does not take",
                why="It is a model of text: nothing in it sees or hears.", fix="Use a model that does, or leave such rows out.",
            )  # fmt: skip
        return {**message, "content": text_of(message)}

    def _text_and_spans(self, plain: Sequence[Mapping[str, Any]], tools: Sequence[Any], since: int) -> tuple[str, list[Span]]:
        """The conversation's text, and what of it is trained on."""
        said = [at for at, message in enumerate(plain) if message["role"] == "assistant"]
        learnt = [at for at in said if at >= since and plain[at].get("weight", 1)]
        marked = self.template.marked(tools)
        written = self.answers.written(plain, tools, [at for at in said if at not in learnt] if marked else learnt)
        found = list(written.answers.values())
        if marked:
            marks = [self.answers.trimmed(written.text, mark) for mark in _joined(written.marks)]
            kept = [mark for mark in marks if not any(_overlap(mark, other) for other in found)]
            for start, stop in kept:
                self.label_warnings.add({}, ended=self._ended(written.text[start:stop]))
            return written.text, kept
        for at, (start, stop) in written.answers.items():
            answer = written.text[start:stop]
            self.label_warnings.add(plain[at], answer, ended=self._ended(answer), asked=at not in written.unasked)
        return written.text, found

    def _ended(self, answer: str) -> bool:
        return self.answers.last_token(answer) is not None

    def _look_at_starts(self, encoding: Any, spans: Sequence[Span]) -> None:
        firsts = [(encoding.char_to_token(start), start) for start, _ in spans]
        self.label_warnings.begun += sum(first is not None and encoding.token_to_chars(first)[0] < start for first, start in firsts)


def encoded(objective: Objective, row: Row, chat: ChatEncoder, number: int, following: Row | None = None) -> Group:
    """What an objective makes of a row, the `number`-th, which its errors name.

    Args:
        following: the next row, for an objective that compares them; None where only the row itself matters.
    """
    try:
        if following is not None and isinstance(objective, ReadsNext):
            return objective.encode_with(row, following, chat)
        return objective.encode(row, chat)
    except UserError as error:
        raise UserError(error.code, f"Row {number}: {error.what}", why=error.why, fix=error.fix) from error


def _places(encoding: Any, ends: Sequence[int]) -> tuple[int, ...]:
    """The last token of the text up to each of `ends`."""
    if not ends:
        return ()
    tokens = [(begin, at) for at, (begin, end) in enumerate(encoding.offsets) if begin < end]  # those around a text have no characters
    found = tuple(tokens[max(0, bisect_left(tokens, (end, 0)) - 1)][1] for end in ends)
    return told_apart(found)


def told_apart(places: tuple[int, ...]) -> tuple[int, ...]:
    """The places, each another one.

    Raises:
        UserError: TS-DATA-077 where two are the same.
    """
    if len(set(places)) < len(places):
        raise UserError(
            "TS-DATA-077", "Two words or steps of the row end in the same token", why="Each is to have an output of the model of its own.",
            fix="Take empty ones out of the row, and give steps a separator (a line break).",
        )  # fmt: skip
    return places


def ends_in(text: str, spans: Sequence[Span], messages: Sequence[Message], ends: Sequence[int]) -> list[int]:
    """Where in a conversation's text its last message has come so far. Templates may leave out spaces around it, and write before it."""
    if not ends:
        return []
    said = text_of(messages[-1])
    bare = said.strip()
    start = text.find(bare, spans[-1][0]) if spans and bare else -1
    if start < 0:
        raise UserError(
            "TS-DATA-078", "The chat template does not write the steps of the row's answer as they stand",
            why="So it is not known which token each of them ends at.", fix="Use a model whose template leaves answers as they are.",
        )  # fmt: skip
    left = len(said) - len(said.lstrip())
    return [start + min(max(end - left, 1), len(bare)) for end in ends]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Spans that touch as one."""
    found: list[Span] = []
    for start, stop in spans:
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, stop))
    return found


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


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
