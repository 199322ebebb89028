"""Curves of a sweep as inline SVG: several lines over the load, bars for what the runs lie apart, hollow dots where there is a doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tunesmith_report.api import number, text, ticks

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 460, 250, 58, 58, 14, 40
COLORS = ("var(--accent)", "var(--cool)", "var(--good)", "var(--muted)")


class Dot(NamedTuple):
    """A value at a load; `low` and `high` are the least and the largest run's, `doubt` is told where it is not empty."""

    x: float
    y: float
    low: float
    high: float
    doubt: str = ""


class Line(NamedTuple):
    name: str
    dots: Sequence[Dot]


def chart(title: str, unit: str, across: str, lines: Sequence[Line]) -> str:
    """A figure; empty where no line has a value. The vertical axis begins at 0: lengths can be compared."""
    lines = [line for line in lines if line.dots]
    dots = [dot for line in lines for dot in line.dots]
    if not dots:
        return ""
    y_ticks = ticks(0.0, max(max(dot.high, dot.y) for dot in dots) or 1.0, 4)
    loads = sorted({dot.x for dot in dots})
    base = HEIGHT - BOTTOM

    def x(at: float) -> float:
        place = loads.index(at) / (len(loads) - 1) if len(loads) > 1 else 0.5
        return LEFT + place * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return base - value / y_ticks[-1] * (base - TOP)

    parts = [f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>' for v in y_ticks]
    parts += [f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{number(v)}</text>' for v in y_ticks]
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    every = max(1, -(-len(loads) // 8))
    parts += [f'<text x="{x(v):.1f}" y="{base + 18}" text-anchor="middle">{number(round(v, 3))}</text>' for v in loads[::every]]
    parts.append(f'<text x="{(WIDTH + LEFT - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{text(across)}</text>')
    ends: list[float] = []
    for line, color in zip(lines, COLORS, strict=False):
        ends.append(_clear(y(line.dots[-1].y) + 4, ends))
        parts += _line(line, color, x, y, ends[-1])
    label = text(f"{title}: " + "; ".join(f"{line.name} {number(line.dots[-1].y)} at {number(line.dots[-1].x)}" for line in lines))
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    return f"<figure><figcaption>{text(title)} <span>{text(unit)}</span></figcaption>{svg}</figure>"


def _clear(at: float, taken: Sequence[float]) -> float:
    """A height for a line's name that no other name has."""
    while any(abs(at - other) < 13 for other in taken):
        at -= 3
    return at


def _line(line: Line, color: str, x, y, name_at: float) -> list[str]:  # type: ignore[no-untyped-def]
    path = "L".join(f"{x(dot.x):.1f} {y(dot.y):.1f}" for dot in line.dots)
    parts = [f'<path class="line" style="stroke:{color}" d="M{path}"/>']
    for dot in line.dots:
        at = x(dot.x)
        if dot.high > dot.low:
            parts.append(
                f'<path class="line" style="stroke:{color};opacity:.6" d="M{at:.1f} {y(dot.low):.1f}L{at:.1f} {y(dot.high):.1f}"/>'
            )
        fill = "var(--paper)" if dot.doubt else color
        says = text(f"{line.name} {number(dot.y)} at {number(dot.x)}" + (f": {dot.doubt}" if dot.doubt else ""))
        look = f"fill:{fill};stroke:{color};stroke-width:1.6"
        parts.append(f'<circle cx="{at:.1f}" cy="{y(dot.y):.1f}" r="3.4" style="{look}"><title>{says}</title></circle>')
    parts.append(f'<text class="label" style="fill:{color}" x="{WIDTH - RIGHT + 8}" y="{name_at:.1f}">{text(line.name)}</text>')
    return parts
