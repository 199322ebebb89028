"""What a dataset format says of a file's rows: asked of it in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.executor import Executor
from tunesmith.errors import TunesmithError
from tunesmith.planning.environments import Environments
from tunesmith.planning.plan import Choice, PlannedStep
from tunesmith.plugins.records import ProviderRecord
from tunesmith.running.executors import Local
from tunesmith.running.question import Crashed, ask
from tunesmith.running.reporter import Reporter, Silent
from tunesmith.verbs.row_check import Verdict, judge

if TYPE_CHECKING:
    from tunesmith.config import Config
    from tunesmith.plugins.registry import Registry


class RowCheck:
    """Callable: file, format, columns -> `Verdict`.

    A format that works in an environment of its own is not asked before its step: that might have to be built. Its schema judges alone.

    Args:
        reporter: told of the progress.
    """

    def __init__(self, registry: Registry, config: Config, *, reporter: Reporter | None = None, executor: Executor | None = None) -> None:
        self._registry, self._config = registry, config
        self._reporter, self._executor = reporter or Silent(), executor or Local()

    def __call__(self, path: Path, record: ProviderRecord, columns: Mapping[str, str], settings: Mapping[str, Any]) -> Verdict:
        """
        Raises:
            OSError, NotRows: see `read_file`.
            TunesmithError: TS-DATA-048 when the format crashes; TS-PLUGIN-006 when its row schema is broken.
        """
        schema = record.facts["row"]
        if Environments(self._registry, self._config.environments.plugins).isolates(record):
            return judge(path, schema, columns)
        verb = replace(self._registry.verb("prepare"), settings="tunesmith.verbs.records:CheckSettings")
        step = PlannedStep(
            name="rows", group="rows", verb=verb, choices={"dataset_format": Choice(record, settings)},
            settings={"row": schema, "columns": dict(columns)}, inputs={}, format="",
        )  # fmt: skip
        try:
            inputs = {"file": Artifact("file", path.absolute())}
            meta = ask(
                step, "tunesmith.verbs.row_check:run", self._config.cache, self._executor, self._hear, inputs,
                roots=self._config.roots,
            )  # fmt: skip
        except Crashed as error:
            raise TunesmithError("TS-DATA-048", f"The dataset format `{record.name}` crashed over {path}", why=str(error),
                                 fix=f"Tell the author of {record.distribution}.") from None  # fmt: skip
        return Verdict.from_json(meta)

    def _hear(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "$/progress":
            self._reporter.progress("rows", params["what"], params["done"], params["total"], params["unit"])
        elif method == "$/log":
            self._reporter.log("rows", params["level"], params["message"])
