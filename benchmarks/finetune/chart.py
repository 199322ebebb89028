"""The figures as a picture: processor seconds, a bar each, the ratio beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, GAP, TOP = 720, 170, 22, 12, 48
OURS, THEIRS, INK = "#0b7285", "#adb5bd", "#212529"


def draw(rows: Sequence[dict[str, Any]], title: str) -> str:
    """An SVG; `rows` as in the JSON: `peer`, `cpu`, `ours_cpu`, `ratio`."""
    ours = min(row["ours_cpu"] for row in rows)
    bars = [("tunesmith", ours, OURS, "")]
    bars += [(row["peer"], row["cpu"], THEIRS, f", {row['ratio']:.2f} times as much") for row in sorted(rows, key=lambda row: row["cpu"])]
    longest = max(value for _, value, _, _ in bars)
    scale = (WIDTH - LEFT - 210) / longest
    height = TOP + len(bars) * (BAR + GAP) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="14" fill="{INK}"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="12" y="26" font-size="15" font-weight="600">{escape(title)}: processor seconds, less is better</text>',
    ]
    for number, (name, value, colour, said) in enumerate(bars):
        y = TOP + number * (BAR + GAP)
        parts.append(f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="{BAR}" rx="3" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + value * scale + 8:.1f}" y="{y + 16}">{value:.0f} s{escape(said)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
