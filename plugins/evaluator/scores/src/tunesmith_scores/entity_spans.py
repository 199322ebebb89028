"""Entities in a sequence of tags, as conlleval (CoNLL-2000) and seqeval find them: tags are ``B-PLACE``, ``I-PLACE``, ``O`` and, in other
schemes, ``E-``, ``L-``, ``S-``, ``U-``. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

OUTSIDE = "O"
_OPENING, _CLOSING = {"B", "S", "U"}, {"E", "L", "S", "U"}
_MARKS = _OPENING | _CLOSING | {"I"}


def is_scheme(labels: Sequence[str]) -> bool:
    """Whether classes are such tags: all but ``O`` begin with a mark."""
    marked = [label for label in labels if label != OUTSIDE]
    return bool(marked) and all(_parts(label)[0] in _MARKS and _parts(label)[1] for label in marked)


def spans(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """(type, first, last) of each entity. One that an ``I-`` begins counts, too, and a change of the type ends one."""
    found = set()
    before, type_before, begin = OUTSIDE, "", 0
    for at, tag in enumerate([*tags, OUTSIDE]):
        mark, type = _parts(tag)
        inside = type_before != "" and before != OUTSIDE
        if inside and (mark in _OPENING | {OUTSIDE} or before in _CLOSING or type != type_before):
            found.add((type_before, begin, at - 1))
            inside = False
        if mark != OUTSIDE and not inside:
            begin = at
        before, type_before = mark, type
    return found


def _parts(tag: str) -> tuple[str, str]:
    mark, _, type = tag.partition("-")
    return (mark, type) if tag != OUTSIDE else (OUTSIDE, "")
