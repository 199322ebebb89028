"""Conversations with pictures and sounds to tokens: the chat template says where they stand, the processor what stands for them there."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import Message, Part
from tunesmith_torch.api import LAST, TokenSequence
from tunesmith_torch.api.objective import Medium
from tunesmith_torch.data.chat_template.assistant_spans import Span
from tunesmith_torch.data.multimodal.model_inputs import MediaInputs, MediaReader
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer, ends_in, told_apart


class ChatProcessor(ChatTokenizer):
    """A processor's chat template as objectives see it (`tunesmith_torch.api.objective.ChatEncoder`).

    Args:
        processor: as `load_processor` gives it.
        reader: reads the rows' media.
        ends: as `ChatTokenizer` takes them.
    """

    def __init__(self, processor: Any, reader: MediaReader, ends: Collection[int] = ()) -> None:
        self.processor, self.reader = processor, reader
        if processor.chat_template:
            processor.tokenizer.chat_template = processor.chat_template
        super().__init__(processor.tokenizer, ends)

    def encode(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), *, since: int = 0, ends: Sequence[int] = ()
    ) -> TokenSequence:  # fmt: skip
        """As `ChatTokenizer.encode`; tokens that stand for media have no labels.

        Raises:
            UserError: those, TS-DATA-032 for media of a type that the model does not take, TS-DATA-060 for a file that can't be read,
                TS-DATA-062 when a text holds what stands for media.
        """
        parts = [part for message in messages for part in message["content"] if part["type"] != "text"]
        if not parts:
            return super().encode(messages, tools, since=since, ends=ends)
        plain = [self.plain(message) for message in messages]
        text, answers = self._text_and_spans(plain, tools, since)
        tokens, offsets, replaced = self._expand(text, parts)
        spans = [_moved(span, replaced) for span in answers]
        begins = [begin for begin, _ in offsets]
        places = tuple(bisect_left(begins, _moved((0, end), replaced)[1]) - 1 for end in ends_in(text, answers, messages, ends))
        labels = [any(start <= begin < end for start, end in spans) for begin, _ in offsets]
        media = self._placed(parts, replaced, begins)
        for medium in media:
            labels[medium.start : medium.stop] = [False] * (medium.stop - medium.start)
        labels[0] = False  # nothing predicts the first token
        return TokenSequence(tokens, labels, media, told_apart(places))

    def prompt(self, text: str, parts: Sequence[Part]) -> TokenSequence:
        """Tokens of a text that the template has written, with `parts` in the places that it left for them. It has a place at its end in
        place of labels.

        Raises:
            UserError: as `encode`, of media.
        """
        tokens, offsets, replaced = self._expand(text, parts)
        media = self._placed(parts, replaced, [begin for begin, _ in offsets])
        return TokenSequence(tokens, [False] * len(tokens), media, (LAST,))

    def inputs_of(self, model: Any) -> MediaInputs:
        return MediaInputs(self.reader, model)

    def plain(self, message: Message) -> dict[str, Any]:
        """As templates of such models read it: the content a list of parts, a video as its pictures."""
        return {**message, "content": [piece for part in message["content"] for piece in self._pieces(part)]}

    def _pieces(self, part: Part) -> list[dict[str, Any]]:
        if part["type"] == "text":
            return [{"type": "text", "text": part["text"]}]
        kind, count = self.reader.stands(part)
        return [{"type": kind}] * count

    def _expand(self, text: str, parts: Sequence[Part]) -> tuple[list[int], list[Span], list[Mapping[str, Any]]]:
        """Tokens, their places in the text in which each placeholder gave way to what stands for it, and where that happened."""
        try:
            encoded = self.processor(
                text=[text], **self.reader.arguments(parts), add_special_tokens=False, return_offsets_mapping=True,
                return_text_replacement_offsets=True,
            )  # fmt: skip
        except (ValueError, StopIteration) as error:  # it counts placeholders and media
            raise UserError(
                "TS-DATA-062", f"The model's processor can't put the row's media in their places: {error}",
                why="Usually a text of the row holds a word that stands for media to this model.",
                fix="Take the word out of the text, or leave the row out.",
            ) from error  # fmt: skip
        replaced = (encoded.get("text_replacement_offsets") or [[]])[0]
        if not replaced:
            raise UserError(
                "TS-TRAIN-062", f"{type(self.processor).__name__} does not tell which tokens stand for media",
                why="Without that they can't be kept out of what is trained on.", fix="Use a model whose processor in transformers does.",
            )  # fmt: skip
        return list(encoded["input_ids"][0]), [tuple(span) for span in encoded["offset_mapping"][0]], replaced

    def _placed(self, parts: Sequence[Part], replaced: Sequence[Mapping[str, Any]], begins: list[int]) -> list[Medium]:
        """Each part with the tokens that stand for it: the first of its kind has the first placeholders of that kind."""
        places = {kind: [r["new_span"] for r in replaced if r["type"] == kind] for kind in ("image", "audio")}
        media = []
        for part in parts:
            kind, count = self.reader.stands(part)
            taken, places[kind] = places[kind][:count], places[kind][count:]
            media.append(Medium(part, bisect_left(begins, taken[0][0]), bisect_left(begins, taken[-1][1])))
        return sorted(media, key=lambda medium: medium.start)


def _moved(span: Span, replaced: Sequence[Mapping[str, Any]]) -> Span:
    """A span of the text where it lies after placeholders before it grew."""
    ends = [r["span"][1] for r in replaced]
    grown = [0, *(r["new_span"][1] - r["span"][1] for r in replaced)]
    start, end = (at + grown[bisect_right(ends, at)] for at in span)
    return start, end
