"""What a dataset format says of a file's rows: asked of it in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.input_reader import InstalledProvider, Planner, Question, WorkerDied
from tunesmith.errors import TunesmithError
from tunesmith_data.check.verdict import Verdict, judge


class RowCheck:
    """Callable: file, format, columns, settings of the format -> `Verdict`.

    Where the planner asks nobody (a format that works in an isolated environment), the format's schema judges alone.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def __call__(self, path: Path, record: InstalledProvider, columns: Mapping[str, str], settings: Mapping[str, Any]) -> Verdict:
        """
        Raises:
            OSError, NotRows: see `read_file`.
            TunesmithError: TS-DATA-048 when the format crashes; TS-PLUGIN-006 when its row schema is broken.
        """
        schema = record.facts["row"]
        question = Question(
            "tunesmith_data.check.verdict:run", record, settings, "tunesmith_data.settings:CheckSettings",
            {"row": schema, "columns": dict(columns)}, {"file": path.absolute()},
        )  # fmt: skip
        try:
            meta = self._planner.ask(question)
        except WorkerDied as error:
            raise TunesmithError("TS-DATA-048", f"The dataset format `{record.name}` crashed over {path}", why=str(error),
                                 fix=f"Tell the author of {record.distribution}.") from None  # fmt: skip
        return judge(path, schema, columns) if meta is None else Verdict.from_json(meta)
