"""What is known here of earlier runs, for a recommendation: the knowledge base of the home, brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tunesmith_recommend.evidence.entry import Entry
from tunesmith_recommend.evidence.knowledge_base import FILE, KnowledgeBase


@dataclass(frozen=True)
class Known:
    """
    Args:
        entries: of all runs that are known.
        home: which of them are of here.
    """

    entries: Sequence[Entry] = ()
    home: str = ""


def known(home: Path) -> Known:
    """Of a home, with what runs there have added since it was last asked. A home in which nothing was ever run gets no file."""
    from tunesmith.running.journal.journal import FILE as JOURNAL
    from tunesmith.running.journal.journal import Journal

    if not (home / JOURNAL).is_file() and not (home / FILE).is_file():
        return Known()
    with closing(KnowledgeBase(home)) as base:
        if (home / JOURNAL).is_file():
            with closing(Journal(home)) as journal:
                base.learn_all(journal, home)
        return Known(base.entries(), base.home)
