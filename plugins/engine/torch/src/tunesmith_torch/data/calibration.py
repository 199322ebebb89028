"""Rows that a quantizer calibrates on, as the model would read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tunesmith.contracts import Artifact, Step, UserError
from tunesmith_data.api import read_rows, text_of
from tunesmith_torch.data.chat_template.template import ChatTemplate


def calibration_tokens(data: Artifact | None, tokenizer: Any, *, count: int, length: int, step: Step) -> list[list[int]]:
    """The first `count` rows of a ``dataset/*``, tokenized and cut after `length` tokens.

    The order is the dataset's: the same rows give the same model. Where the tokenizer has no chat template, messages are lines.

    Args:
        tokenizer: a Hugging Face tokenizer, of any version.

    Raises:
        UserError: TS-QUANT-002 when there are no rows; what `ChatTemplate.render` raises for a row.
    """
    template = ChatTemplate.of(tokenizer) if getattr(tokenizer, "chat_template", None) else None
    found: list[list[int]] = []
    for row in read_rows(data.path) if data else ():
        if len(found) >= count:
            break
        step.check_cancelled()
        messages = [{**one, "content": text_of(one)} for one in (*row["messages"], *row.get("chosen", ()))]
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


def joined_sequences(rows: Iterable[list[int]], length: int) -> list[list[int]]:
    """All tokens of the rows one after another, cut every `length` tokens: none is padded, so no padding counts like words where a library
    measures activations. What is left at the end is dropped, unless it is all there is."""
    tokens = [token for row in rows for token in row]
    whole = [tokens[at : at + length] for at in range(0, len(tokens) - length + 1, length)]
    return whole or [tokens]
