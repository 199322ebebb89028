"""Answers that are kept while a model is asked, in a file that can be read after a kill, and a stop that is heeded between any two of them.

lm-eval's own model with a cache writes each answer by a transaction of its own, in a thread, and waits for all of them in the end: on a
disk that takes 20 ms for one, a thousand answers are 20 s in which nothing looks at the stop. Here a forward pass ends a transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lm_eval.api.model import CachingLM
from sqlitedict import SqliteDict


class KeptAnswers(CachingLM):
    """lm-eval's model with a cache, over a file that heeds the stop.

    Args:
        check_cancelled: called at each look for an answer and each that is kept; may raise.
    """

    def __init__(self, model: Any, file: Path, check_cancelled: Callable[[], None]) -> None:
        # not the inherited one, which opens a file that commits each answer
        self.lm, self.cache_db = model, str(file)
        self.dbdict = _Answers(str(file), check_cancelled)
        model.set_cache_hook(self.get_cache_hook())

    def pause(self) -> None:
        """Between two forward passes: what is answered is on the disk soon, and the stop is heeded."""
        self.dbdict.commit(blocking=False)
        self.dbdict.check_cancelled()


class _Answers(SqliteDict):  # type: ignore[misc]
    def __init__(self, file: str, check_cancelled: Callable[[], None]) -> None:
        self.check_cancelled = check_cancelled
        super().__init__(file, autocommit=False)

    def __contains__(self, key: object) -> bool:
        self.check_cancelled()
        return bool(super().__contains__(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self.check_cancelled()
        super().__setitem__(key, value)
