"""A plan as it is shown: as wide as the terminal, and in the reader's language."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tunesmith.planning.plan_text import WIDTH, plan_text
from tunesmith_cli.terminal_width import terminal_width
from tunesmith_cli.translation.catalogs import gettext, translated
from tunesmith_cli.translation.east_asian import wrap
from tunesmith_cli.translation.language import ENGLISH, language

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan

_ENDLESS = 10**6  # letters of a line that is not wrapped
_HANGING = ("- ", "! ")  # how lines begin whose further ones are indented by as much


def plan_page(plan: Plan, cached: Mapping[str, bool], seconds: Mapping[str, float] | None = None) -> str:
    """The plan's text; arguments as of `plan_text`."""
    width = terminal_width() if sys.stdout.isatty() else WIDTH
    if language() == ENGLISH:
        return plan_text(plan, cached, seconds=seconds, width=width)
    told = dict(_told(plan))
    lines: list[str] = []
    for line in plan_text(plan, cached, seconds=seconds, width=_ENDLESS).splitlines():
        bare = line.lstrip()
        indent = line[: len(line) - len(bare)]
        lines += wrap(told.get(bare) or translated(bare), width, indent, indent + "  " * bare.startswith(_HANGING))
    return "\n".join(lines) + "\n"


def _told(plan: Plan) -> Iterator[tuple[str, str]]:
    """Lines that are put together of sentences, translated sentence by sentence."""
    for one in plan.decisions:
        yield f"- {one.what}: {one.reason}", f"- {translated(one.what)}{gettext(': ')}{translated(one.reason)}"
    for warning in plan.warnings:
        yield f"! {warning}", f"! {translated(warning)}"
