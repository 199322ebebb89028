"""Rows to the token sequences whose labels are scored, and sequences to batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunesmith.contracts import Artifact, Step, UserError
from tunesmith_data.api import Row, read_rows, text_of
from tunesmith_torch.api import ChatEncoder, TokenSequence

EXCERPT = 200  # characters of a document that are shown


@dataclass(frozen=True)
class Scored:
    """A row as it is scored; `question` and `answer` are its last ones, for the report."""

    sequence: TokenSequence
    question: str
    answer: str


def sequences(data: Artifact | None, chat: ChatEncoder, max_length: int, step: Step) -> list[Scored]:
    """The rows that have labels within `max_length` tokens, in their order.

    Raises:
        UserError: TS-DATA-040 when there is none.
    """
    found: list[Scored] = []
    count = cut = left_out = 0
    for row in read_rows(data.path) if data else ():
        step.check_cancelled()
        count += 1
        whole = chat.encode_text(row["text"]) if "text" in row else chat.encode(row["messages"], row.get("tools") or ())
        short = _first(whole, max_length)
        cut += len(whole.tokens) > max_length
        if any(short.labels):
            found.append(Scored(short, _last(row, "user"), _last(row, "assistant")))
        else:
            left_out += 1
    if cut:
        step.log(f"{cut} of {count} rows are longer than {max_length} tokens and were cut (setting `max_length`)", "warning")
    if left_out:
        step.log(f"{left_out} of {count} rows have no answer within {max_length} tokens and were left out", "warning")
    if not found:
        raise UserError(
            "TS-DATA-040", "There are no rows to evaluate on", why=f"{count} rows were given, none with an answer." if count else "",
            fix="Give the step a `data:` file with answers of the assistant, or with texts.",
        )  # fmt: skip
    return found


def _first(sequence: TokenSequence, length: int) -> TokenSequence:
    if not sequence.media:
        return TokenSequence(sequence.tokens[:length], sequence.labels[:length])
    from tunesmith_torch.api.text import shortened

    return shortened(sequence, length)


def batches(scored: Sequence[Scored], max_tokens_per_microbatch: int) -> Iterator[list[int]]:
    """Indices in their order, as many at a time as fit into `max_tokens_per_microbatch`; a longer sequence is alone."""
    batch: list[int] = []
    used = 0
    for index, one in enumerate(scored):
        length = len(one.sequence.tokens)
        if batch and used + length > max_tokens_per_microbatch:
            yield batch
            batch, used = [], 0
        batch.append(index)
        used += length
    if batch:
        yield batch


def _last(row: Row, role: str) -> str:
    found = next((text_of(turn) for turn in reversed(row.get("messages", ())) if turn["role"] == role), "")
    return row["text"][:EXCERPT] if "text" in row and role == "assistant" else found
