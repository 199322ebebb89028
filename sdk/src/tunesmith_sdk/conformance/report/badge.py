"""A report as a picture for a README: SVG, or a line of Markdown."""

from __future__ import annotations

from pathlib import Path

from tunesmith_sdk.conformance.report.outcome import Report

_COLOURS = {"bronze": "#a0632c", "silver": "#7d8590", "gold": "#b8860b", "": "#9f2d2d"}
_LETTER = 6.6  # width of one, in pixels


def write(report: Report, path: Path) -> None:
    """As Markdown where the file is called so, else as SVG."""
    text = markdown(report) if path.suffix == ".md" else svg(report)
    path.write_text(text, encoding="utf-8")


def markdown(report: Report) -> str:
    passed = sum(outcome.state == "passed" for outcome in report.outcomes)
    return f"**tunesmith conformance: {report.level or 'none'}** ({report.version}, {passed} of {len(report.outcomes)} checks passed)\n"


def svg(report: Report) -> str:
    label, value = "tunesmith conformance", report.level or "none"
    left, right = (round(len(text) * _LETTER + 12) for text in (label, value))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}: {value}">'
        f"<title>{label}: {value}</title>"
        f'<rect width="{left}" height="20" fill="#444"/><rect x="{left}" width="{right}" height="20" fill="{_COLOURS[report.level]}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11">'
        f'<text x="6" y="14">{label}</text><text x="{left + 6}" y="14">{value}</text></g></svg>\n'
    )
