"""The verb `show-tokens`: rows as the tokens that a model would learn from, with their labels, and what looks wrong about them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.contracts import Result, Step, UserError
from tunesmith_data.api import Message, Row, read_rows
from tunesmith_torch.api import Group, TokenSequence
from tunesmith_torch.data.chat_template.eos_tokens import unnamed_end
from tunesmith_torch.data.chat_template.label_warnings import LabelWarnings
from tunesmith_torch.data.token_counts import counts_of
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder

FILE = "preview.jsonl"  #: of ``report/tokens``, where the command line reads it
_CONTEXT = 4  # tokens before one that are decoded with it: some tokenizers write spaces by what stands before


def run(step: Step) -> Result:
    """Write `FILE`: an object per row asked for, then one of statistics.

    Raises:
        UserError: TS-DATA-044 when a row is asked for that there is not.
    """
    settings, chat, objective = step.settings, chat_encoder(step.inputs["model"]), step.provider("objective")
    wanted = sorted(set(settings.rows))
    lengths: list[int] = []
    shown: list[dict[str, Any]] = []
    counts: list[dict[str, Any]] = []
    broken = 0
    for number, row in enumerate(islice(read_rows(step.inputs["data"].path), max([settings.scan, *wanted])), 1):
        step.check_cancelled()
        step.progress(number, what="tokenize", unit="rows")
        listening, chat.label_warnings = _Listening(chat), LabelWarnings()
        try:
            group = objective.encode(row, listening)
        except UserError as error:
            broken += 1
            shown += [{"row": number, "sequences": [], "error": error.to_json()}] if number in wanted else []
            counts.append({"row": number, "error": error.code})
            continue
        lengths += [max(len(sequence.tokens) for sequence in group.sequences)] if group.sequences else []
        counts.append({"row": number, "endless": chat.label_warnings.endless} | counts_of(group, settings.max_length))
        shown += [_previewed(number, row, group, listening, settings.max_length)] if number in wanted else []
    if missing := [number for number in wanted if not 0 < number <= len(lengths) + broken]:
        raise UserError("TS-DATA-044", f"There is no row {missing[0]}: the file has {len(lengths) + broken}", fix="Ask for one of those.")
    total = {"rows": len(lengths), "broken": broken, "lengths": sorted(lengths), "max_length": settings.max_length, "counts": counts}
    _write(step.output, [*shown, total])
    return Result(meta={"rows": wanted})


def _write(output: Path, objects: Sequence[Mapping[str, Any]]) -> None:
    with open(output / FILE, "w", encoding="utf-8") as lines:
        for entry in objects:
            lines.write(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")


def _previewed(number: int, row: Row, group: Group, listening: _Listening, max_length: int) -> dict[str, Any]:
    names = ("chosen", "rejected") if len(group.sequences) == 2 and "chosen" in row else ("",) * len(group.sequences)
    told = [_sequence(name, sequence, listening, listening.chat, max_length) for name, sequence in zip(names, group.sequences, strict=True)]
    return {"row": number, "sequences": told}


class _Listening:
    """The encoder as the objective sees it; which messages became which tokens is kept."""

    def __init__(self, chat: Any) -> None:
        self.chat = chat
        self.heard: list[tuple[Sequence[Message], Sequence[Any], TokenSequence]] = []

    def encode(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), *, since: int = 0, ends: Sequence[int] = ()
    ) -> TokenSequence:  # fmt: skip
        made: TokenSequence = self.chat.encode(messages, tools, since=since, ends=ends)
        self.heard.append((messages, tools, made))
        return made

    def encode_text(self, text: str, *, ended: bool = False, ends: Sequence[int] = ()) -> TokenSequence:
        made: TokenSequence = self.chat.encode_text(text, ended=ended, ends=ends)
        return made

    def of(self, sequence: TokenSequence) -> tuple[Sequence[Message], Sequence[Any]]:
        """The conversation that the tokens come from; none if the objective made them another way."""
        tokens = list(sequence.tokens)
        return next(((messages, tools) for messages, tools, made in self.heard if list(made.tokens) == tokens), ((), ()))


def _sequence(name: str, sequence: TokenSequence, listening: _Listening, chat: Any, max_length: int) -> dict[str, Any]:
    tokens, labels = list(sequence.tokens), [bool(label) for label in sequence.labels]
    texts = list(pieces(chat.tokenizer.backend_tokenizer, tokens))
    messages, tools = listening.of(sequence)
    turns = _turns(messages, tools, chat, texts) if not sequence.media else []
    doubts = list(_doubts(labels, chat)) if not sequence.places else []
    if len(tokens) > max_length:
        doubts.append(
            f"{len(tokens)} tokens are more than the {max_length} of `max_length`: what is after them is cut, or the row left out"
        )
    return {
        "name": name, "tokens": tokens, "texts": texts, "labels": labels, "turns": turns, "doubts": doubts,
        "media": [[medium.start, medium.stop, medium.part["type"]] for medium in sequence.media],
    }  # fmt: skip


def pieces(tokenizer: Any, tokens: Sequence[int]) -> Iterator[str]:
    """The text of each token by a `tokenizers.Tokenizer`; of several that make up one letter, the last has it."""
    start = 0  # of the tokens whose text is not told yet
    for at in range(len(tokens)):
        context = max(0, start - _CONTEXT)
        before = tokenizer.decode(tokens[context:start], skip_special_tokens=False)
        until = tokenizer.decode(tokens[context : at + 1], skip_special_tokens=False)
        if until.endswith("\ufffd") and at + 1 < len(tokens) and at - start < 4:
            yield ""
            continue
        yield until[len(before) :]
        start = at + 1


def _turns(messages: Sequence[Message], tools: Sequence[Any], chat: Any, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Which tokens each message became, with what the template writes around it."""
    ends, length = [], 0
    for text in texts:
        length += len(text)
        ends.append(length)
    try:
        characters = chat.ends_of(messages, tools) if messages else []
    except UserError:
        return []  # the template tells the conversation as a whole only
    turns, begin = [], 0
    for number, (message, upto) in enumerate(zip(messages, characters, strict=True), 1):
        stop = next((at + 1 for at, end in enumerate(ends) if end >= upto), len(texts))
        stop = len(texts) if number == len(messages) else stop
        turns.append({"role": message["role"], "start": begin, "stop": stop})
        begin = stop
    return turns


def _doubts(labels: Sequence[bool], chat: Any) -> Iterator[str]:
    if not any(labels):
        yield "no token is trained on: none is the assistant's, or the template's {% generation %} marks enclose nothing"
    elif not all(labels[1:]):
        yield from chat.label_warnings.sentences()
        if sentence := unnamed_end(chat):
            yield sentence
