"""A yes of whoever sits at the terminal, in the languages that there are."""

from __future__ import annotations

YES = ("y", "yes", "是", "好", "确定")


def confirmed(question: str) -> bool:
    """Whether the answer is a yes; whatever else is typed is a no, and so is the end of what is typed."""
    try:
        return input(question).strip().casefold() in YES
    except EOFError:
        return False
