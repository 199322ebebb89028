"""Data files where one belongs.

``[a.jsonl, b.jsonl]``, with the share of each ``{a.jsonl: 0.7, b.jsonl: 0.3}``, with what their columns are called
``{path: a.jsonl, columns: {instruction: question}}``, with a condition for its rows ``{path: a.jsonl, filter: "score|int > 3"}``, or a part
of one ``{path: a.jsonl, split: train, test_size: 0.1}``; such entries also in a list, then with a `weight`. A path with ``*``, ``?`` or
``[...]`` is all files that it fits, in the order of their names.
"""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.contracts.untrusted_files import path_of
from tunesmith.errors import UserError, did_you_mean
from tunesmith.spelling import near
from tunesmith_data.shape.expressions import is_expression
from tunesmith_data.shape.rows import FILTER, shape_of
from tunesmith_data.sources.address import is_address

_KEYS = ("path", "columns", "filter", "split", "test_size", "weight")
SPLITS = ("train", "test")
MOST = 256  # files of a pattern: each is a step
TEST_SIZE = 0.1  #: where a file's `split` is named and no `test_size`

Columns = tuple[tuple[str, str], ...]  #: (name that a format wants, name that the column has in the file); also the filter (`shape`)


class Split(NamedTuple):
    """A part of a file's rows.

    Args:
        name: one of `SPLITS`; empty: all of them.
        test_size: share of the rows that ``test`` has, above 0 and below 1.
    """

    name: str = ""
    test_size: float = 0.0


@dataclass(frozen=True)
class Mixture:
    """
    Args:
        paths: as the user wrote them.
        weights: the share that each has in the rows; empty: all rows of all files.
        columns: of each; empty: all are called as their formats want it.
        splits: of each; empty: all rows of all files.
    """

    paths: tuple[str, ...]
    weights: tuple[float, ...] = ()
    columns: tuple[Columns, ...] = ()
    splits: tuple[Split, ...] = ()

    @property
    def files(self) -> Iterator[tuple[str, Columns, Split]]:
        """Path, columns and part of each."""
        count = len(self.paths)
        return zip(self.paths, self.columns or ((),) * count, self.splits or (Split(),) * count, strict=True)

    def __str__(self) -> str:
        return " and ".join(self.paths)

    def expanded(self, base: Path, key: str = "data") -> Mixture:
        """The same with the files that its patterns fit in their places.

        Args:
            base: folder that relative paths start from; `key`: of the input.

        Raises:
            UserError: TS-DATA-085 for a pattern that fits no file or too many; TS-SPEC-005 for one with a weight, and for a file twice.
        """
        patterns = {
            text for text in self.paths if not is_address(text) and any(sign in text for sign in "*?[") and not path_of(text, base).exists()
        }
        if not patterns:
            return self
        found = [(path, rest) for text, *rest in self.files for path in (_matches(text, base) if text in patterns else [text])]
        paths = tuple(path for path, _ in found)
        if self.weights:
            raise UserError("TS-SPEC-005", f"`{key}` gives a pattern of files a share", why="What share each of the files has is not said.",
                            fix="Give each file its share, or all of them none.")  # fmt: skip
        if twice := next((path for path in paths if paths.count(path) > 1), ""):
            raise UserError("TS-SPEC-005", f"`{key}` names {twice} twice", why="A pattern fits it, too.", fix="Name it once.")
        columns, splits = (tuple(rest[at] for _, rest in found) for at in range(2))
        return replace(self, paths=paths, columns=columns, splits=splits)


def _matches(text: str, base: Path) -> list[str]:
    """The files that a pattern fits, as the user would write them."""
    home = os.path.expanduser(text)
    names = sorted(name for name in glob.glob(home, root_dir=base, recursive=True) if (base / name).is_file())
    if not names:
        raise UserError("TS-DATA-085", f"no file fits {text}", why=f"It was looked for from {base}.",
                        fix="Correct the pattern: `*` stands for any part of a name, `**/` for any folders.")  # fmt: skip
    if len(names) > MOST:
        raise UserError("TS-DATA-085", f"{len(names)} files fit {text}, and {MOST} can be read at most",
                        fix="Join them into fewer files; rows of several may stand in one.")  # fmt: skip
    return names


def mixture_of(value: Any, key: str = "data") -> Mixture:
    """What is written for an input: a path, a list or a mapping.

    Args:
        key: of the input.

    Raises:
        UserError: TS-SPEC-005 when it names no files.
    """
    found = Mixture((value,)) if isinstance(value, str) else _read(value)
    if isinstance(found, Mixture):
        return found
    forms = f"`{key}: [a.jsonl, b.jsonl]`, `{key}: {{a.jsonl: 0.7, b.jsonl: 0.3}}` or `{key}: {{path: a.jsonl, columns: ...}}`"
    raise UserError("TS-SPEC-005", f"`{key}` {found}", fix=f"Write {forms}.")


def _read(value: Sequence[Any] | Mapping[str, Any]) -> Mixture | str:
    """A sentence of what is wrong with it, if something is."""
    if isinstance(value, Mapping) and "path" in value and not _is_weight(value["path"]):  # with a weight it is a file of that name
        value = [value]
    if isinstance(value, Mapping) and (wrong := _misspelt([value], [key for key, given in value.items() if not _is_weight(given)])):
        return wrong
    if isinstance(value, Mapping):
        entries = [{"path": path, "weight": weight} for path, weight in value.items()]
    else:
        entries = [item if isinstance(item, Mapping) else {"path": item} for item in value]
        if wrong := _misspelt([item for item in value if isinstance(item, Mapping)]):
            return wrong
    paths = [entry.get("path") for entry in entries]
    if not paths or not all(isinstance(path, str) and path for path in paths):
        return f"should name files, got {value!r}"
    if len(set(paths)) < len(paths):
        return "names a file twice"
    weights = [entry["weight"] for entry in entries if "weight" in entry]
    for entry in entries:
        if "weight" in entry and not _is_weight(entry["weight"]):
            return f"should give {entry['path']} a weight above 0, got {entry['weight']!r}"
    if weights and len(weights) < len(entries):
        return "should give a weight to each file, or to none"
    if unsaid := next(
        (entry for entry in entries if not isinstance(entry.get("filter", "x"), str) or not entry.get("filter", "x").strip()), None
    ):
        return f'should say of {unsaid["path"]} which rows are wanted, as in filter: "score|int > 3", got {unsaid["filter"]!r}'
    columns = [_columns(entry.get("columns") or {}) for entry in entries]
    for entry, found in zip(entries, columns, strict=True):
        if found is None:
            return (
                f"should say of {entry['path']} which column is which, as in columns: {{instruction: question}}, got {entry['columns']!r}"
            )
    splits = [_split(entry) for entry in entries]
    if wrong := next((one for one in splits if isinstance(one, str)), ""):
        return wrong
    named = tuple(
        tuple(shape_of(dict(found or ()), entry.get("filter", "")).items()) for entry, found in zip(entries, columns, strict=True)
    )
    parts = tuple(one for one in splits if isinstance(one, Split))
    return Mixture(
        tuple(map(str, paths)), tuple(float(weight) for weight in weights), named if any(named) else (),
        parts if any(one.name for one in parts) else (),
    )  # fmt: skip


def _misspelt(entries: Sequence[Mapping[Any, Any]], keys: Sequence[Any] | None = None) -> str:
    """What to say of a key that no entry of a file has; of these `keys`, or of all.

    A mapping of files to shares is no such entry: its keys are any names, so only what is like a key is taken for one.
    """
    for entry in entries:
        for key in map(str, entry if keys is None else keys):
            if key not in _KEYS and (keys is None or near(key, _KEYS)):
                return f"says `{key}` of {entry.get('path', 'a file')}, which is no key of a file. {did_you_mean(key, _KEYS)}"
    return ""


def _is_weight(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf


def _split(entry: Mapping[str, Any]) -> Split | str:
    """A sentence of what is wrong, if something is."""
    name, size = entry.get("split"), entry.get("test_size", TEST_SIZE)
    if name is None and "test_size" in entry:
        return f"says `test_size` of {entry['path']} and not which part: `split: train` or `split: test`"
    if name is None:
        return Split()
    if name not in SPLITS:
        return f"should say of {entry['path']} `split: train` or `split: test`, got {name!r}"
    if not _is_weight(size) or size >= 1:
        return f"should give {entry['path']} a `test_size` between 0 and 1, the share of the rows that `test` has, got {size!r}"
    return Split(str(name), float(size))


def _columns(value: Any) -> Columns | None:
    """None for what is no mapping of names, each there once."""
    if not isinstance(value, Mapping) or not all(isinstance(word, str) and word for pair in value.items() for word in pair):
        return None
    named = [column for column in value.values() if not is_expression(column)]
    return tuple(value.items()) if len(set(named)) == len(named) and FILTER not in value else None
