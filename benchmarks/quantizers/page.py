"""The table of docs/quantizers.md, between its marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| quantizer | divergence, nats a token | same next token | perplexity, times | weights, MB | CPU s | bounds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        within = {name: row["intervals"][name] for name in ("kl", "top1", "perplexity_ratio")}
        lines.append(
            f"| {_name(row)} | {row['kl']:.3g} ({within['kl'][0]:.3g} to {within['kl'][1]:.3g}) "
            f"| {row['top1']:.1%} ({within['top1'][0]:.1%} to {within['top1'][1]:.1%}) "
            f"| {row['perplexity_ratio']:.3f} ({within['perplexity_ratio'][0]:.3f} to {within['perplexity_ratio'][1]:.3f}) "
            f"| {row['bytes'] / 1e6:.0f} | {'' if row['seconds'] is None else format(row['seconds'], '.0f')} "
            f"| {row['bounds'].kl:g}, {row['bounds'].top1:.0%}, {row['bounds'].perplexity:g} |"
        )
    return "\n".join(lines)


def _name(row: dict[str, Any]) -> str:
    told = {key: value for key, value in row["settings"].items() if key in ("iters", "max_seq_length", "batch_size", "algorithm")}
    return f"`{row['name']}`" + (f" ({', '.join(f'{key} {value}' for key, value in told.items())})" if told else "")


def write(page: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Put the table between the page's marks."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{after}", encoding="utf-8")
