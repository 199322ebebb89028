"""A measurement as one HTML page that needs nothing else: verdict, curves, table, doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_bench.report.svg_chart import Dot, Line, chart
from tunesmith_bench.results.point import Point
from tunesmith_bench.results.result_file import Measurement
from tunesmith_bench.results.table import counter_text, doubt_lines, load_text, mark_text, point_rows, search_line
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import language, translated
from tunesmith_report.api import CSS, number, text


def page_of(measurement: Measurement) -> str:
    """The page; no script, nothing from elsewhere."""
    title = f"{measurement.server['model']}: bench"
    parts = (_header(measurement), _charts(measurement), _table(measurement), _doubts(measurement), _probes(measurement), _how(measurement))
    body = "\n".join(filter(None, parts))
    return (
        f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(title)}</title><style>{CSS}</style></head>\n<body><main>\n{body}\n"
        f"<footer>{text(_('Made by tunesmith bench. The same as data: --save FILE.json.'))}</footer></main></body></html>\n"
    )


def _header(measurement: Measurement) -> str:
    points = sorted(measurement.points, key=lambda point: point.load.size)
    tiles = []
    if measurement.search:
        tiles.append(
            (
                number(measurement.search.kept) if measurement.search.kept else _("none"),
                _("requests a second keep {slo}", slo=measurement.settings["slo"]),
            )
        )
    known = [p for p in points if p.figures["output_tokens_per_second"]["mean"] is not None]
    if known:
        best = max(known, key=lambda point: point.figures["output_tokens_per_second"]["mean"])
        tiles.append(
            (number(best.figures["output_tokens_per_second"]["mean"]), _("output tokens a second at most, at {load}", load=load_text(best)))
        )
    if points and points[0].figures["ttft"]["p50"] is not None:
        first = points[0].figures
        tiles.append((f"{number(first['ttft']['p50'] * 1000)} ms", _("to the first token at {load} (median)", load=load_text(points[0]))))
        if first["itl"]["p50"] is not None:
            tiles.append((f"{number(first['itl']['p50'] * 1000)} ms", _("between tokens at {load} (median)", load=load_text(points[0]))))
    shown = "".join(f'<div class="tile"><b>{text(value)}</b><span>{text(label)}</span></div>' for value, label in tiles)
    badge = f'<span class="badge failed">{text(_("interrupted"))}</span>' if measurement.interrupted else ""
    verdict = f"<p>{text(search_line(measurement.search))}</p>" if measurement.search else ""
    counted = _("tokens counted by {counter}", counter=counter_text(measurement))
    asked = f"{measurement.server['url']} · {measurement.client.get('time', '')} · {counted}"
    where = f'<p class="muted">{text(asked)}</p>'
    return f'<header><h1>{text(measurement.server["model"])}{badge}</h1>{where}{verdict}<div class="tiles">{shown}</div></header>'


def _charts(measurement: Measurement) -> str:
    kind = bool(measurement.points) and measurement.points[-1].load.is_open  # a search begins with one request at a time
    points = sorted((p for p in measurement.points if p.load.is_open == kind), key=lambda point: point.load.size)
    if not points:
        return ""
    across = _("requests a second") if points[0].load.is_open else _("requests at once")
    requests = [_rates(_("done"), points, "requests_per_second"), _rates(_("good"), points, "goodput")]
    latencies = (("ttft", _("Time to the first token")), ("itl", _("Between tokens")), ("e2e", _("Whole answer")))
    figures = [
        chart(_("Output"), _("tokens a second"), across, [_rates(_("all"), points, "output_tokens_per_second")]),
        chart(_("Requests"), _("a second"), across, requests),
        *(chart(title, "ms", across, [_latency(name, label, points) for label in ("p50", "p90", "p99")]) for name, title in latencies),
    ]
    note = _("Bars span the runs. A hollow dot has a doubt, named below. Percentiles of too few requests are left out.")
    return f'<h2>{text(_("Curves"))}</h2><div class="charts">{"".join(figures)}</div><p class="muted">{text(note)}</p>'


def _doubt(point: Point) -> str:
    return ", ".join(mark_text(mark) for mark in point.marks)


def _rates(label: str, points: Sequence[Point], name: str) -> Line:
    found = [(point, point.figures[name]) for point in points if point.figures[name]["mean"] is not None]
    return Line(label, [Dot(point.load.size, entry["mean"], *entry["of_runs"], _doubt(point)) for point, entry in found])


def _latency(name: str, label: str, points: Sequence[Point]) -> Line:
    dots = []
    for point in points:
        entry = point.figures[name]
        if entry[label] is not None:
            value = entry[label] * 1000
            low, high = (v * 1000 for v in entry["p50_of_runs"]) if label == "p50" else (value, value)
            dots.append(Dot(point.load.size, value, low, high, _doubt(point)))
    return Line(label, dots)


def _table(measurement: Measurement) -> str:
    head, *rows = point_rows(sorted(measurement.points, key=lambda point: point.load.size))
    top = "".join(f'<th class="num">{text(cell)}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f'<td class="num">{text(cell)}</td>' for cell in row) + "</tr>" for row in rows)
    return f'<h2>{text(_("Figures"))}</h2><div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _doubts(measurement: Measurement) -> str:
    lines = doubt_lines(measurement.points)
    if not lines:
        lines = [_("None: every point is stationary, no queue grew, the sender was never late.")]
    return f"<h2>{text(_('Doubts'))}</h2>" + "".join(f"<p>{text(line)}</p>" for line in lines)


def _probes(measurement: Measurement) -> str:
    if not measurement.search:
        return ""
    rows = "".join(map(_probe, measurement.search.probes))
    head = f'<th class="num">{text(_("rate"))}</th><th class="num">{text(_("within"))}</th><th></th><th>{text(_("why"))}</th>'
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    return f"<h2>{text(_('Search for the highest rate'))}</h2>{table}"


def _probe(probe: Mapping[str, Any]) -> str:
    numbers = f'<td class="num">{number(probe["rate"])}</td><td class="num">{probe["share"]:.1%}</td>'
    verdict = f'<td class="{"yes" if probe["kept"] else "no"}">{text(_("kept") if probe["kept"] else _("not kept"))}</td>'
    return f"<tr>{numbers}{verdict}<td>{text(translated(probe['why']))}</td></tr>"


def _how(measurement: Measurement) -> str:
    facts = {**{k: v for k, v in measurement.settings.items() if v not in (None, "")}, **measurement.client}
    words = {True: "true", False: "false"}
    rows = "".join(
        f"<dt>{text(name.replace('_', ' '))}</dt><dd>{text(words[value] if isinstance(value, bool) else value)}</dd>"
        for name, value in facts.items()
    )
    return f'<h2>{text(_("How it was measured"))}</h2><dl class="env">{rows}</dl>'
