"""Curves as inline SVG: axes with round ticks, the points, and where a value was lost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tunesmith_report.number_format import number, text

Points = Sequence[tuple[int, "float | None"]]

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 250, 58, 18, 12, 34
_DRAWN = 600  # points at most; a longer series is thinned
_SMOOTHED = 60  # from so many points on the curve is drawn smoothed, the points faintly behind it


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers over [low, high], about so many, with steps of 1, 2 or 5 times a power of ten."""
    least = 1e-6 * max(abs(low), abs(high)) + 1e-12
    if high - low < least:
        high = low + least
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def smooth(values: Sequence[float], reach: int) -> list[float]:
    """Mean over as many values on both sides, `reach` at most: what is straight stays straight, up to the ends."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    out = []
    for index in range(len(values)):
        near = min(reach, index, len(values) - 1 - index)
        out.append((sums[index + near + 1] - sums[index - near]) / (2 * near + 1))
    return out


def thin(points: Points, most: int = _DRAWN) -> Points:
    """At most so many points: means over equal stretches; a stretch without a value stays one."""
    if len(points) <= most:
        return points
    stretch = math.ceil(len(points) / most)
    out: list[tuple[int, float | None]] = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        values = [value for _, value in part if value is not None and math.isfinite(value)]
        out.append((part[len(part) // 2][0], sum(values) / len(values) if len(values) == len(part) else None))
    return out


def curve(name: str, points: Points, *, wide: bool = False, unit: str = "step") -> str:
    """A figure of one series; empty if it has no value. Where a value is missing (NaN, infinite) is a cross at the top.

    Args:
        wide: for the full width of the page; on a narrow screen it is drawn as the others are.
    """
    finite = [value for _, value in points if value is not None and math.isfinite(value)]
    if not finite:
        return ""
    ends = f"{number(finite[0])} → {number(finite[-1])}" if len(finite) > 1 else number(finite[0])
    label = text(f"{name}: {ends} over {len(points)} points")
    drawn = thin(points)
    svgs = f'<div class="desk">{_svg(drawn, 960, label, unit)}</div><div class="hand">{_svg(drawn, 460, label, unit)}</div>'
    caption = f"<figcaption>{text(name)} <span>{ends}</span></figcaption>"
    return f'<figure class="wide">{caption}{svgs}</figure>' if wide else f"<figure>{caption}{_svg(drawn, 460, label, unit)}</figure>"


def _svg(points: Points, width: int, label: str, unit: str) -> str:
    finite = [(at, value) for at, value in points if value is not None and math.isfinite(value)]
    lost = [at for at, value in points if value is None or not math.isfinite(value)]
    xs, ys = [at for at, _ in points], [value for _, value in finite]
    y_ticks = ticks(min(ys), max(ys), 4)
    x_low, x_high = min(xs), max(max(xs), min(xs) + 1)
    base = _HEIGHT - _BOTTOM

    def x(at: float) -> float:
        return _LEFT + (at - x_low) / (x_high - x_low) * (width - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return base - (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]) * (base - _TOP)

    across = [v for v in ticks(x_low, x_high, 8 if width > 500 else 5) if x_low <= v <= x_high and float(v).is_integer()]
    parts = [f'<line class="grid" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>' for v in y_ticks]
    parts += [f'<text x="{_LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{number(v)}</text>' for v in y_ticks]
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{base}" y2="{base}"/>')
    parts += [f'<text x="{x(v):.1f}" y="{base + 18}" text-anchor="middle">{number(v)}</text>' for v in across]
    parts.append(f'<text x="{width - _RIGHT}" y="{_HEIGHT - 2}" text-anchor="end">{text(unit)}</text>')
    parts += _lines([(x(at), y(value)) for at, value in finite], [y(v) for v in smooth(ys, max(1, len(ys) // 30))])
    parts += [f'<path class="lost" d="M{x(at) - 4:.1f} {_TOP - 4}l8 8m0 -8l-8 8"><title>no number at {at}</title></path>' for at in lost]
    return f'<svg viewBox="0 0 {width} {_HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _lines(points: Sequence[tuple[float, float]], smoothed: Sequence[float]) -> list[str]:
    def path(kind: str, ys: Sequence[float]) -> str:
        return f'<path class="{kind}" d="M' + "L".join(f"{x:.1f} {y:.1f}" for (x, _), y in zip(points, ys, strict=True)) + '"/>'

    exact = [y for _, y in points]
    if len(points) >= _SMOOTHED:
        return [path("raw", exact), path("line", smoothed)]
    dots = [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in points] if len(points) <= 40 else []
    return [path("line", exact), *dots]
