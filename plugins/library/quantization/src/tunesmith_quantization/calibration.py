"""Rows that a quantizer calibrates on, as the model would read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any

from tunesmith.contracts import Artifact, Step, UserError
from tunesmith_data.api import read_rows, text_of
from tunesmith_torch.api.text import ChatTemplate


def calibration_tokens(data: Artifact | None, tokenizer: Any, *, count: int, length: int, step: Step) -> list[list[int]]:
    """Rows of a ``dataset/*``, drawn by the step's seed, tokenized and cut after `length` tokens.

    A file may be sorted, so its first rows need not be like the rest. Those that are drawn stay in the dataset's order: the same rows and
    seed give the same model. Where the tokenizer has no chat template, messages are lines.

    Args:
        tokenizer: a Hugging Face tokenizer, of any version.
        count: of rows, at most; those without text don't count.

    Raises:
        UserError: TS-QUANT-002 when there are no rows; what `ChatTemplate.render` raises for a row.
    """
    template = ChatTemplate.of(tokenizer) if getattr(tokenizer, "chat_template", None) else None
    found: list[list[int]] = []
    for row in _drawn(_with_text(read_rows(data.path) if data else (), step), count, step.seed):
        step.check_cancelled()
        messages = _messages(row)
        text = template.render(messages, row.get("tools") or ()).text if template else "\n".join(one["content"] for one in messages)
        ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])[:length]
        found += [ids] if ids else []
    if not found:
        raise UserError(
            "TS-QUANT-002", f"`{step.name}` has no rows to calibrate on",
            why="Scales are chosen so that the layers' outputs on these rows change least.",
            fix="Name rows like those that the model will meet: `data: train.jsonl`.",
        )  # fmt: skip
    return found


def _messages(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "content": text_of(one)} for one in (*row["messages"], *row.get("chosen", ()))]


def _with_text(rows: Iterable[Mapping[str, Any]], step: Step) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        step.check_cancelled()
        if any(one["content"] for one in _messages(row)):
            yield row


def _drawn(rows: Iterable[Mapping[str, Any]], count: int, seed: int) -> list[Mapping[str, Any]]:
    """`count` of the rows, each as likely as any other, in their order; read once (Vitter, 1985, algorithm R)."""
    chance, kept = Random(seed), []
    for at, row in enumerate(rows):
        if at < count:
            kept.append((at, row))
        elif (place := chance.randrange(at + 1)) < count:
            kept[place] = (at, row)
    return [row for _, row in sorted(kept, key=lambda one: one[0])]


def joined_sequences(rows: Iterable[list[int]], length: int) -> list[list[int]]:
    """All tokens of the rows one after another, cut every `length` tokens: none is padded, so no padding counts like words where a library
    measures activations. What is left at the end is dropped, unless it is all there is."""
    tokens = [token for row in rows for token in row]
    whole = [tokens[at : at + length] for at in range(0, len(tokens) - length + 1, length)]
    return whole or [tokens]
