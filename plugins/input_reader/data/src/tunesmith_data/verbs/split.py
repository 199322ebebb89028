"""The verb ``split``: a part of a dataset's rows, to learn from or to be asked about what was learnt."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tunesmith.contracts import Result, Step
from tunesmith.errors import UserError
from tunesmith_data.api import CONVERSATIONS, ROWS_FILE, TEXTS, Row, read_rows
from tunesmith_data.inspection import normal
from tunesmith_data.media.files import Keeper


def run(step: Step) -> Result:
    """Write the rows of one part, in their order.

    Which rows are held out follows from what they ask and from nothing else: not from a seed, so that the two parts never share a row
    whichever steps read them, and not from their order.

    Raises:
        UserError: TS-DATA-083 where all rows ask the same.
    """
    source, wanted = step.inputs["rows"], step.settings.part == "test"
    out = held_out(map(asked, _as_written(source.path)), step.settings.test_size)
    if not out:
        raise cannot_part(step.name, "all of them ask the same")
    keeper, rows = Keeper(Path("/"), step.output, [source.path]), 0
    with open(step.output / ROWS_FILE, "w", encoding="utf-8") as lines:
        for done, (plain, row) in enumerate(zip(_as_written(source.path), read_rows(source.path), strict=True), 1):
            if (asked(plain) in out) is wanted:
                lines.write(json.dumps(keeper.row(row), ensure_ascii=False) + "\n")
                rows += 1
            if done % 256 == 0:
                step.check_cancelled()
                step.progress(done, what="splitting", unit="rows")
    return Result(meta={"rows": rows})


def _as_written(directory: Path) -> Iterator[Row]:
    """The rows with the names that their media have in the dataset: where it lies on a disk is no part of what they ask."""
    with open(directory / ROWS_FILE, encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def share_of(rows: int, test_size: float) -> int:
    """How many of at least two rows are held out: never all, and never none."""
    return min(rows - 1, max(1, round(rows * test_size)))


def held_out(prompts: Iterable[bytes], test_size: float) -> set[bytes]:
    """The prompts that are held out: of as many rows as can be without parting those of one prompt. Empty where there is one prompt alone.

    Args:
        prompts: of all rows, a digest each.
    """
    count = Counter(prompts)
    if len(count) < 2:
        return set()
    most, rows, found = share_of(count.total(), test_size), 0, set()
    for prompt in sorted(count):
        if rows + count[prompt] <= most and len(found) < len(count) - 1:
            rows += count[prompt]
            found.add(prompt)
    return found or {min(count, key=lambda prompt: (count[prompt], prompt))}


def asked(row: Row) -> bytes:
    """A digest of what a row asks, with case and white space evened out: what comes before its answer; of a text, the text."""
    return hashlib.blake2b(normal(_prompt(row)).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _prompt(row: Row) -> Mapping[str, object]:
    if "anchor" in row:
        return {"anchor": row["anchor"]}
    turns = list(row.get(CONVERSATIONS[0], ()))
    if turns and turns[-1]["role"] == "assistant" and len(turns) > 1:
        turns.pop()
    return {"turns": turns, "tools": row.get("tools")} if turns else {key: row[key] for key in TEXTS if key in row}


def cannot_part(what: str, why: str) -> UserError:
    fix = "Give more rows, or take all of them: leave `split` out."
    return UserError("TS-DATA-083", f"{what}: no rows can be held out, for {why}", fix=fix)
