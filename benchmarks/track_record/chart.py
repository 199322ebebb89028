"""The errors as a picture: a dot for each run, measured by predicted on a logarithmic scale, time, memory and disk above one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from cases import Case
from table import WHATS, ratios

WIDTH, LEFT, ROW, TOP = 860, 110, 90, 50
DOT, INK, LINE = "#0b7285", "#212529", "#adb5bd"
TICKS = (0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0)


def draw(rows: Sequence[tuple[Case, dict[str, Any]]]) -> str:
    """An SVG."""
    edge = max(4.0, *(max(ratio, 1 / ratio) for what in WHATS for ratio in ratios(rows, what)))
    scale = (WIDTH - LEFT - 40) / 2 / math.log(edge)
    middle, height = LEFT + (WIDTH - LEFT - 40) / 2, TOP + ROW * len(WHATS) + 40

    def at(ratio: float) -> float:
        return middle + math.log(ratio) * scale

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="14" fill="{INK}"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="12" y="26" font-size="15" font-weight="600">{len(rows)} runs: what was measured, by what was predicted</text>',
    ]
    for tick in TICKS:
        x, stroke = at(tick), INK if tick == 1 else LINE
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 36}" stroke="{stroke}" stroke-dasharray="2 3"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 16}" text-anchor="middle">{tick:g}</text>')
    for number, what in enumerate(WHATS):
        y, own = TOP + ROW * number + ROW / 2, sorted(ratios(rows, what))
        parts.append(f'<text x="{LEFT - 16}" y="{y + 5}" text-anchor="end">{what}</text>')
        for place, ratio in enumerate(own):
            shift = (place % 5 - 2) * 9
            parts.append(f'<circle cx="{at(ratio):.1f}" cy="{y + shift:.1f}" r="4.5" fill="{DOT}" fill-opacity="0.65"/>')
        if own:
            x = at(median(own))
            parts.append(f'<line x1="{x:.1f}" y1="{y - 30}" x2="{x:.1f}" y2="{y + 30}" stroke="{INK}" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"
