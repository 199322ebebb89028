"""The table of docs/quantizers.md, between its marks. Rows that were measured before, on another machine, stay as they stand."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith_statistics import share

ITSELF = "| itself, in bfloat16"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
LARGER, LARGER_END = "<!-- larger -->", "<!-- /larger -->"
_FIGURE = re.compile(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)")


def table(rows: Sequence[Mapping[str, Any]], itself: str) -> str:
    lines = [
        "| quantizer | divergence, nats a token | same next token | perplexity, times | sums right | weights, MB | made in CPU s "
        "| served: tokens a CPU s | bounds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *filter(None, [itself]), *(row["line"] if "line" in row else _line(row) for row in rows)])


def _line(row: Mapping[str, Any]) -> str:
    within = {name: row["intervals"][name] for name in ("kl", "top1", "perplexity_ratio")}
    return (
        f"| {_name(row)} | {row['kl']:.3g} ({within['kl'][0]:.3g} to {within['kl'][1]:.3g}) "
        f"| {row['top1']:.1%} ({within['top1'][0]:.1%} to {within['top1'][1]:.1%}) "
        f"| {row['perplexity_ratio']:.3f} ({within['perplexity_ratio'][0]:.3f} to {within['perplexity_ratio'][1]:.3f}) "
        f"| {right(row['served'])} "
        f"| {row['bytes'] / 1e6:.0f} | {'' if row['seconds'] is None else format(row['seconds'], '.0f')} | {speed(row['served'])} "
        f"| {row['bounds'].kl:g}, {row['bounds'].top1:.0%}, {row['bounds'].perplexity:g} |"
    )


def right(served: Mapping[str, Any] | None) -> str:
    """The share of right sums with its interval; empty where it was not served."""
    if served is None:
        return ""
    found = share(served["right"], served["sums"])
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"


def speed(served: Mapping[str, Any] | None) -> str:
    """Tokens for a second of processor time, the median of the turns, and the engine."""
    if served is None:
        return ""
    return f"{statistics.median(one['tokens'] / one['cpu'] for one in served['turns']):.0f} ({served['engine']})"


def _name(row: Mapping[str, Any]) -> str:
    told = {key: value for key, value in row["settings"].items() if key in ("iters", "max_seq_length", "batch_size", "algorithm")}
    return f"`{row['name']}`" + (f" ({', '.join(f'{key} {value}' for key, value in told.items())})" if told else "")


def standing(page: Path) -> dict[str, dict[str, Any]]:
    """The page's rows by name, with what the chart needs of them."""
    _, _, rest = page.read_text("utf-8").partition(BEGIN)
    found = {}
    for line in rest.partition(END)[0].splitlines():
        name, figure = re.match(r"\| `([^`]+)`", line), _FIGURE.search(line)
        if name and figure:
            kl, low, high = map(float, figure.groups())
            size = float(line.split("|")[6]) * 1e6
            found[name[1]] = {"name": name[1], "kl": kl, "intervals": {"kl": (low, high)}, "bytes": size, "line": line}
    return found


def write(page: Path, rows: Sequence[Mapping[str, Any]], itself: Mapping[str, Any] | None) -> None:
    """Put the table between the page's marks; `itself` are the figures of the model as it is, served."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    old, _, after = rest.partition(END)
    first = next((line for line in old.splitlines() if line.startswith(ITSELF)), f"{ITSELF} | | | | | | | | |")
    if itself is not None:
        first = f"{ITSELF} | 0 | 100% | 1 | {right(itself)} | 269 | | {speed(itself)} | |"
    page.write_text(f"{before}{BEGIN}\n{table(rows, first)}\n{END}{after}", encoding="utf-8")


def write_larger(page: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put the table of another model between its own marks."""
    before, _, rest = page.read_text("utf-8").partition(LARGER)
    after = rest.partition(LARGER_END)[2]
    page.write_text(f"{before}{LARGER}\n{table(rows, '')}\n{LARGER_END}{after}", encoding="utf-8")
