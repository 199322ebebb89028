"""The figures as a picture: processor seconds, a bar for each of a pair, the ratio beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, GAP, TOP = 860, 180, 20, 14, 48
OURS, THEIRS, INK = "#0b7285", "#adb5bd", "#212529"


def draw(rows: Sequence[dict[str, Any]], title: str) -> str:
    """An SVG; `rows` as in the JSON: `peer`, `cpu`, `ours_cpu`, `ratio`. A peer and Tunesmith beside it, as they ran in turn."""
    scale = (WIDTH - LEFT - 220) / max(row["cpu"] for row in rows)
    height = TOP + len(rows) * (2 * BAR + GAP) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="14" fill="{INK}"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="12" y="26" font-size="15" font-weight="600">{escape(title)}: processor seconds, less is better</text>',
    ]
    for number, row in enumerate(rows):
        top = TOP + number * (2 * BAR + GAP)
        said = f", {row['ratio']:.2f} times as much"
        for y, name, value, colour, more in (
            (top, row["peer"], row["cpu"], THEIRS, said), (top + BAR, "tunesmith", row["ours_cpu"], OURS, ""),
        ):  # fmt: skip
            parts.append(f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="{BAR - 2}" rx="3" fill="{colour}"/>')
            parts.append(f'<text x="{LEFT + value * scale + 8:.1f}" y="{y + 14}">{value:.0f} s{escape(more)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
