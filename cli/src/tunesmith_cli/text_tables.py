"""Rows as columns."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith_cli.translation.east_asian import padded, text_width
from tunesmith_cli.untrusted_text import safe


def columns(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Left-aligned columns, each as wide as its widest cell."""
    rows = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(indent + "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as columns, each as wide as its widest cell; the last one may have lines."""
    rows = [[safe(cell) for cell in row] for row in rows]
    widths = [max(text_width(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] if rows else []
    lines = []
    for *cells, last in rows:
        head = "".join(f"{padded(cell, width)}  " for cell, width in zip(cells, widths, strict=True))
        lines.append((head + last.replace("\n", "\n" + " " * text_width(head))).rstrip())
    return "\n".join(lines)
