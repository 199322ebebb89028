"""The verb ``mix``: the rows of several datasets as one, in a fixed proportion."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from heapq import merge
from pathlib import Path

from tunesmith.contracts import Artifact, Result, Step
from tunesmith.contracts.artifacts import several
from tunesmith.errors import UserError
from tunesmith_data.api import ROWS_FILE, Row, read_rows
from tunesmith_data.media.files import Keeper


def run(step: Step) -> Result:
    """Write rows of all inputs, spread evenly over each other. No row is there twice; which ones are taken depends on the seed.

    Raises:
        UserError: TS-DATA-066 for weights that are not one above 0 for each.
    """
    sources, weights = several(step.inputs, "rows"), step.settings.weights
    if weights and (len(weights) != len(sources) or min(weights) <= 0):
        raise UserError(
            "TS-DATA-066", f"{len(sources)} datasets can't be mixed by the weights {', '.join(f'{weight:g}' for weight in weights)}",
            fix="Give each a weight above 0, or leave `weights` out: then all rows of all are taken.",
        )  # fmt: skip
    rows = [_count(source.path / ROWS_FILE) for source in sources]
    taken = shares(rows, weights)
    keeper = Keeper(Path("/"), step.output, [source.path for source in sources])
    with open(step.output / ROWS_FILE, "w", encoding="utf-8") as lines:
        spread = merge(
            *(
                _placed(source, *counts, number, step.seed)
                for number, (source, counts) in enumerate(zip(sources, zip(rows, taken, strict=True), strict=True))
            )
        )
        for done, (_, _, row) in enumerate(spread, 1):
            lines.write(json.dumps(keeper.row(row), ensure_ascii=False) + "\n")
            if done % 256 == 0:
                step.check_cancelled()
                step.progress(done, sum(taken), what="mixing", unit="rows")
    return Result(meta={"rows": sum(taken), "taken": taken})


def shares(rows: Sequence[int], weights: Sequence[float]) -> list[int]:
    """How many rows of each dataset are taken: as many as the weights allow without taking one twice; all, where there are no weights."""
    if not weights:
        return list(rows)
    total = min(count / weight for count, weight in zip(rows, weights, strict=True))
    return [min(count, max(1, round(total * weight))) for count, weight in zip(rows, weights, strict=True)]


def _placed(source: Artifact, rows: int, taken: int, number: int, seed: int) -> Iterator[tuple[float, int, Row]]:
    """The rows taken with their places between 0 and 1."""
    chosen = set(random.Random(f"mix {seed} {number}").sample(range(rows), taken)) if taken < rows else range(rows)
    place = 0
    for at, row in enumerate(read_rows(source.path)):
        if at in chosen:
            yield (place + 0.5) / taken, number, row
            place += 1


def _count(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
