"""Rows by the tokens that a model would be trained on: what an artifact of ``report/tokens`` counts (see the command line's token page)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tunesmith_data.audit.finding import KEPT, Finding
from tunesmith_data.audit.length_bias import length_bias
from tunesmith_data.audit.packing import packed

MANY = 0.05  # share of the rows that may be longer than training takes

Counts = Sequence[Mapping[str, Any]]


def by_tokens(counts: Counts, max_length: int, lines: Sequence[int]) -> Iterator[Finding]:
    """
    Args:
        counts: a row each.
        lines: of the rows, in their order.
    """
    yield from _rows(counts, max_length, lines)
    read = [row for row in counts if "error" not in row]
    pairs = [row for row in read if len(row["tokens"]) == 2]
    if read and not pairs:
        lengths = [sum(row["tokens"]) for row in read]
        count, filled = packed(lengths, max_length)
        told = f"packed into {count} sequences of {max_length} tokens, which are filled to {filled:.0%}"
        yield Finding("packing", "rows that fit into shared sequences", len(read), len(read), told=told,
                      figures={"sequences": count, "filled": round(filled, 3), "mean": round(sum(lengths) / len(read), 1)})  # fmt: skip
    if pairs:
        yield length_bias([(row["trained"][0], row["trained"][1]) for row in pairs], "tokens")


def unfit(counts: Counts, max_length: int, lines: Sequence[int]) -> dict[int, str]:
    """All lines with a row of which something is told by its tokens -> what is."""
    found: dict[int, list[str]] = {}
    for finding in _rows(counts, max_length, lines, kept=len(counts)):
        for line in finding.lines:
            found.setdefault(line, []).append(finding.what)
    return {line: "; ".join(dict.fromkeys(told)) for line, told in sorted(found.items())}


def _rows(counts: Counts, max_length: int, lines: Sequence[int], kept: int = KEPT) -> Iterator[Finding]:
    """What is told of single rows."""
    at = {row["row"]: lines[row["row"] - 1] if row["row"] <= len(lines) else row["row"] for row in counts}
    refused = [at[row["row"]] for row in counts if "error" in row]
    read = [row for row in counts if "error" not in row]
    pairs = [row for row in read if len(row["tokens"]) == 2]
    of_lines = partial(Finding.of_lines, kept=kept)
    if refused:
        yield of_lines("refused", "refused by the model's template or objective", refused, len(counts))
    if pairs:
        equal = [at[row["row"]] for row in pairs if row["tokens"] == [row["common"]] * 2]
        yield of_lines("equal-pairs", "both answers the same tokens", equal, len(pairs))
        apart = [at[row["row"]] for row in pairs if _apart(row)]
        yield of_lines("different-prompts", "prompts not the same tokens", apart, len(pairs))
    long = [at[row["row"]] for row in read if max(row["tokens"], default=0) > max_length]
    yield of_lines("too-long", f"longer than {max_length} tokens", long, len(read), share=MANY)
    emptied = [at[row["row"]] for row in read if any(had and not left for had, left in zip(row["trained"], row["left"], strict=True))]
    yield of_lines("emptied", f"an answer without a token left in the first {max_length}", emptied, len(read))
    if endless := [at[row["row"]] for row in read if row.get("endless")]:
        yield of_lines("endless", "an answer whose end is not trained on: the model would not learn to stop", endless, len(read))
    if untrained := [at[row["row"]] for row in read if not all(row["trained"])]:
        yield of_lines("untrained", "rows of which no token is trained on", untrained, len(read))
    whole = [
        at[row["row"]] for row in read if row["trained"] and all(a >= b - 1 for a, b in zip(row["trained"], row["tokens"], strict=True))
    ]
    if 0 < len(whole) < len(read):  # where it is all of them, the objective learns whole texts
        yield of_lines("all-trained", "rows of which every token is trained on, unlike the others", whole, len(read))


def _apart(row: Mapping[str, Any]) -> bool:
    """Whether the two sides' prompts are not the same tokens: what comes before the first that is trained on."""
    first, second = row["begin"]
    return first is not None and second is not None and (first != second or row["common"] < first)
