"""What pages of other plugins are made of, so that they look as the report does: all of `tunesmith_report` that they may import."""

from tunesmith_report.chart import ticks
from tunesmith_report.number_format import number, text
from tunesmith_report.style import CSS

#: Raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

__all__ = ["API", "CSS", "number", "text", "ticks"]
