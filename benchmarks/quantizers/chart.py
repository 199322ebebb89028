"""The figures as a picture: each format by its size and its divergence, with the interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, TOP, RIGHT = 860, 250, 22, 64, 170
MARK, LINE, INK, GREY = "#0b7285", "#74c0fc", "#212529", "#dee2e6"


def draw(rows: Sequence[dict[str, Any]], title: str) -> str:
    """An SVG; `rows` as the page's: `name`, `kl`, `intervals`, `bytes`. The axis is logarithmic."""
    rows = sorted(rows, key=lambda row: row["kl"])
    low = min(max(row["intervals"]["kl"][0], 1e-5) for row in rows)
    high = max(row["intervals"]["kl"][1] for row in rows)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    scale = (WIDTH - LEFT - RIGHT) / (last - first)

    def x(value: float) -> float:
        return LEFT + (math.log10(max(value, 10.0**first)) - first) * scale

    height = TOP + len(rows) * BAR + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="12" y="24" font-size="15" font-weight="600">{escape(title)}: nats a token from itself, less is better</text>',
    ]
    for power in range(first, last + 1):
        at = x(10.0**power)
        parts.append(f'<line x1="{at:.1f}" y1="{TOP - 8}" x2="{at:.1f}" y2="{height - 12}" stroke="{GREY}"/>')
        parts.append(f'<text x="{at:.1f}" y="{TOP - 14}" text-anchor="middle">{10.0**power:g}</text>')
    for number, row in enumerate(rows):
        y = TOP + number * BAR + 8
        start, end = row["intervals"]["kl"]
        parts.append(f'<text x="{LEFT - 12}" y="{y + 5}" text-anchor="end">{escape(row["name"])}</text>')
        parts.append(f'<line x1="{x(start):.1f}" y1="{y}" x2="{x(end):.1f}" y2="{y}" stroke="{LINE}" stroke-width="6"/>')
        parts.append(f'<circle cx="{x(row["kl"]):.1f}" cy="{y}" r="5" fill="{MARK}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 14}" y="{y + 5}">{row["bytes"] / 1e6:.0f} MB, {row["kl"]:.2g}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
