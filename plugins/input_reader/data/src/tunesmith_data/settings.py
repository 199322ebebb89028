"""Settings of the steps that are planned for data files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts.settings import setting
from tunesmith_data.mixture import SPLITS, TEST_SIZE


@dataclass(frozen=True)
class PrepareSettings:
    format: str = setting("dataset/chat", "the rows that the reader wants")
    columns: dict[str, str] = setting(
        {}, "name that the format wants -> name that the column has in the file, or an expression of what it is put together from"
    )
    filter: str = setting("", "expression over a row's columns: the rows that it is true of are kept; empty: all")


@dataclass(frozen=True)
class CheckSettings:
    """Of a worker that judges rows before anything is planned with them."""

    row: dict[str, Any] = setting({}, "the format's row schema")
    columns: dict[str, str] = setting({}, "as in `PrepareSettings`, the filter among them (`tunesmith_data.shape`)")


@dataclass(frozen=True)
class SourceSettings:
    """Of a worker that brings rows before anything is planned with them."""

    address: str = setting("", "what is brought")
    base: str = setting("", "folder that relative paths in the address start from")
    most: int = setting(0, "bytes that are fetched; 0: without a bound", ge=0)


@dataclass(frozen=True)
class SplitSettings:
    part: str = setting("train", "which rows: those to learn from, or those held out", choices=SPLITS)
    test_size: float = setting(TEST_SIZE, "share of the rows that is held out", gt=0, lt=1)


@dataclass(frozen=True)
class MixSettings:
    weights: list[float] = setting([], "the share that each dataset has in the rows, in the inputs' order; none: all rows of all")
