"""The report of a run: one HTML file that needs nothing else, and the same as JSON."""

from tunesmith.running.report.writing import write_report

__all__ = ["write_report"]
