"""The rows of a file as a format is to read them: those that are wanted, under the names that it wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tunesmith_data.column_path import MISSING, first_of, value_at
from tunesmith_data.line import Line
from tunesmith_data.shape.expressions import NotSaid, condition, is_expression, template

#: The place in a mapping of columns where the condition stands that a row has to fulfil.
FILTER = "?"


def shape_of(columns: Mapping[str, str], filter: str) -> dict[str, str]:
    """Columns and a condition as one mapping, which is kept, compared and handed on as a whole."""
    return {**columns, **({FILTER: filter} if filter else {})}


def without_filter(shape: Mapping[str, str]) -> dict[str, str]:
    """The columns alone."""
    return {name: column for name, column in shape.items() if name != FILTER}


def parts_of(shape: Mapping[str, str]) -> dict[str, Any]:
    """Both apart, as the settings of a step have them; nothing of what there is not."""
    columns = without_filter(shape)
    return ({"columns": columns} if columns else {}) | ({"filter": shape[FILTER]} if FILTER in shape else {})


def written(path: str, shape: Mapping[str, str]) -> Any:
    """A file read so, as a pipeline would have it."""
    return {"path": path, **parts_of(shape)} if shape else path


def columns_named(shape: Mapping[str, str]) -> list[str]:
    """The columns of the file that are named, and not put together."""
    return [column for column in without_filter(shape).values() if not is_expression(column)]


def check_shape(shape: Mapping[str, str]) -> None:
    """
    Raises:
        UserError: TS-DATA-094 for an expression that is none.
    """
    for name, column in shape.items():
        if name == FILTER:
            condition(column)
        elif is_expression(column):
            template(column)


def shaped_lines(lines: Iterable[Line], shape: Mapping[str, str]) -> Iterator[Line]:
    """The lines with their rows so; of one that is not wanted it is only said that it is left out."""
    keep = condition(shape[FILTER]) if FILTER in shape else None
    columns = without_filter(shape)
    for line in lines:
        if not line.row:
            yield line
            continue
        try:
            if keep and not keep(line.row):
                yield Line(line.number, left_out=True)
                continue
        except NotSaid as error:
            yield Line(line.number, None, f"filter `{shape[FILTER]}` {error}")
            continue
        try:
            yield line._replace(row=renamed(line.row, columns)) if columns else line
        except NotSaid as error:
            yield Line(line.number, None, str(error))


def renamed(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """A row with its columns under the names wanted, each in its place. A column that has a wanted name without being meant is left out, as
    is one of which only what lies within is meant, or that others are put together from.

    Raises:
        NotSaid: where a column can't be put together.
    """
    made = {name: template(column) for name, column in columns.items() if is_expression(column)}
    plain = {name: column for name, column in columns.items() if name not in made}
    wanted = {given: name for name, given in plain.items()}
    within = {first_of(given) for given in plain.values() if given not in row}.union(*(used for _, used in made.values()))
    kept = {wanted.get(name, name): value for name, value in row.items() if name in wanted or (name not in columns and name not in within)}
    found = {name: value_at(row, given) for name, given in plain.items()}
    put = {}
    for name, (value, _) in made.items():
        try:
            put[name] = value(row)
        except NotSaid as error:
            raise NotSaid(f"`{name}: {columns[name]}` {error}") from error
    return kept | {name: value for name, value in found.items() if value is not MISSING} | put
