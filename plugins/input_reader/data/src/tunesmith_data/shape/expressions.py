"""Expressions over a row's columns, as chat templates write them: ``score|int >= 4 and text|words < 500``, ``{{ title }}: {{ body }}``.

They are compiled by Jinja in its sandbox, which knows neither files nor modules nor a name that begins with an underscore, and changes
nothing. A name is a column; `row` is the whole row, for columns whose names are no names (``row["my column"]``). A column that a row lacks
is an error of that row unless the expression asks (``lang is defined``, ``lang|default("")``). Beside Jinja's own filters there are
``words`` (their number), ``language``, ``regex_search``, ``regex_replace`` and ``from_json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from tunesmith.errors import UserError
from tunesmith_data.languages.by_words import language_of

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

_ALONE = re.compile(r"\{\{[-+]?(.*?)[-+]?\}\}", re.DOTALL)
_SIGNS = ("{{", "{%")
_PLAIN = (str, int, float, bool, type(None))
LONGEST = 2**24  # characters that a repeated text may have


class NotSaid(Exception):
    """What an expression asks can't be said of a row; the message says why."""


Value = Callable[[Mapping[str, Any]], Any]  #: of a row; raises `NotSaid`


def is_expression(column: str) -> bool:
    """Whether what stands where a column is named is to be put together from columns."""
    return any(sign in column for sign in _SIGNS)


@lru_cache(256)
def condition(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a row is one that the expression is true of.

    Raises:
        UserError: TS-DATA-094 where it is none.
    """
    said = _expression(text, text)

    def holds(row: Mapping[str, Any]) -> bool:
        found = said(row)
        if isinstance(found, str):
            raise NotSaid(f"is the text {found[:40]!r}, neither true nor false")
        return bool(found)

    return holds


@lru_cache(256)
def template(text: str) -> tuple[Value, frozenset[str]]:
    """What a row's columns are put together to, and which columns these are. One ``{{ ... }}`` alone gives a value, anything else a text.

    Raises:
        UserError: TS-DATA-094 where it is no template.
    """
    from jinja2 import TemplateSyntaxError, meta, nodes

    environment = _environment()
    try:
        parsed = environment.parse(text.strip())
        used = frozenset(meta.find_undeclared_variables(parsed))
        one = len(parsed.body) == 1 and isinstance(parsed.body[0], nodes.Output) and len(parsed.body[0].nodes) == 1
        if one and (alone := _ALONE.fullmatch(text.strip())):
            return _expression(alone[1], text), used
        made = environment.from_string(text)
    except TemplateSyntaxError as error:
        _refuse(text, error.message or str(error))
    return lambda row: _said(lambda: made.render(_names(row))), used


def _expression(text: str, shown: str) -> Value:
    from jinja2 import TemplateSyntaxError

    try:
        found = _environment().compile_expression(text, undefined_to_none=False)
    except TemplateSyntaxError as error:
        _refuse(shown, error.message or str(error))
    return lambda row: _said(lambda: plain(found(_names(row))))


def _said(ask: Callable[[], Any]) -> Any:
    """
    Raises:
        NotSaid: whatever went wrong: an expression over data of others may fail in any way.
    """
    try:
        return ask()
    except NotSaid:
        raise
    except Exception as error:
        raise NotSaid(f"can't be said: {error}") from error


def _names(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"row": row, **row}


def plain(value: Any) -> Any:
    """A value as JSON has it.

    Raises:
        NotSaid: where it has no such value.
    """
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        str(value)  # which says what is not defined
    if isinstance(value, str):
        return str(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise NotSaid(f"gives {type(value).__name__}, which no row can hold")


def _refuse(text: str, why: str) -> NoReturn:
    raise UserError(
        "TS-DATA-094", f"`{text}` is no expression: {why}", why="Expressions are written as in Jinja, over the names of columns.",
        fix="Write for example `score|int >= 4 and lang == 'en'`, or `{{ title }}: {{ body|trim }}`.",
    ) from None  # fmt: skip


@lru_cache(1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Bounded(ImmutableSandboxedEnvironment):
        """Without the two operations by which a short expression fills the memory."""

        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "**":
                raise NotSaid("has no powers")
            sizes = [len(side) for side in (left, right) if isinstance(side, (str, list, tuple))]
            if sizes and sizes[0] * max(side for side in (left, right) if isinstance(side, int)) > LONGEST:
                raise NotSaid(f"would repeat a text to more than {LONGEST} characters")
            return super().call_binop(context, operator, left, right)

    found = Bounded(undefined=StrictUndefined, keep_trailing_newline=True)
    found.globals = {}
    found.filters |= {
        "words": lambda text: len(str(text).split()),
        "language": language_of,
        "regex_search": lambda text, pattern: re.search(pattern, str(text)) is not None,
        "regex_replace": lambda text, pattern, other="": re.sub(pattern, other, str(text)),
        "from_json": json.loads,
    }
    return found
