"""A named dataset as a file of this machine: put there by hand, or brought from the first of its addresses that can be reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tunesmith.errors import TunesmithError, UserError
from tunesmith.spelling import near
from tunesmith_data.named.table import NamedDataset

FOLDER = "datasets"  #: beside the pipeline: what was fetched by hand lies in folders of it, called as the datasets are
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_ROWS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".gz", ".zst")


def looks_like_a_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and not text.lower().endswith(_ROWS)


def unknown_name(text: str, known: Mapping[str, NamedDataset]) -> UserError | None:
    """What to say of a name that is nearly one of these; None where none is near."""
    meant = near(text.lower(), known)
    if not meant:
        return None
    return UserError("TS-DATA-092", f"there is no file and no dataset {text}", fix=f"Did you mean `{meant[0]}`? See: tunesmith data list")


def rows_of(dataset: NamedDataset, base: Path, bring: Callable[[str], Path]) -> Path:
    """
    Args:
        base: folder of the pipeline.
        bring: makes a file of an address.

    Raises:
        UserError: TS-DATA-093 where it can be had nowhere, with what to fetch and where to put it.
    """
    if (by_hand := _by_hand(dataset, base)) is not None:
        return by_hand
    told: list[str] = []
    for address in dataset.addresses:
        try:
            return bring(address)
        except TunesmithError as error:
            if not error.code.startswith(("TS-MODEL", "TS-DATA-087", "TS-DATA-091")):
                raise
            told.append(f"{address}: {error.what} {error.fix}")
    folder = base / FOLDER / dataset.name
    columns = ", ".join(f"{name}: {column}" for name, column in dataset.columns.items())
    written = f"{{path: FILE, columns: {{{columns}}}}}" if columns else "FILE"
    raise UserError(
        "TS-DATA-093", f"the dataset `{dataset.name}` can't be fetched", why=" ".join(told),
        fix=f"Fetch its file of rows where that is possible, and put it into {folder}, or name it: `data: {written}`.",
    )  # fmt: skip


def _by_hand(dataset: NamedDataset, base: Path) -> Path | None:
    """The file in the dataset's folder; several have to be named by the user, who knows which are meant."""
    folder = base / FOLDER / dataset.name
    found = sorted(path for path in folder.rglob("*") if path.name.lower().endswith(_ROWS)) if folder.is_dir() else []
    if len(found) > 1:
        pattern = f"{FOLDER}/{dataset.name}/{'**/' if any(path.parent != folder for path in found) else ''}*{found[0].suffix}"
        columns = ", ".join(f"{name}: {column}" for name, column in dataset.columns.items())
        raise UserError(
            "TS-DATA-093", f"{folder} has {len(found)} files of rows, and one is read of a dataset by its name",
            fix=f"Name them: `data: {{path: {pattern}, columns: {{{columns}}}}}`.",
        )  # fmt: skip
    return found[0] if found else None
