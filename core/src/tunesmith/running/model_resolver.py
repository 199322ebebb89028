"""What a model URI means: asked of its loader in a worker, once, then remembered in the project."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunesmith.config import Config
from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.contracts.kinds.input_reader import WorkerDied
from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.contracts.worker_process import Starter
from tunesmith.errors import TunesmithError, UserError
from tunesmith.isolation.error_conversion import disk_error
from tunesmith.planning.inputs.model_source import uri_hint
from tunesmith.planning.plan import Choice, PlannedStep
from tunesmith.plugins.records import ProviderRecord
from tunesmith.plugins.registry import Registry
from tunesmith.running.home_permissions import make_home
from tunesmith.running.reporter import Reporter, Silent
from tunesmith.running.store.hashing import canonical
from tunesmith.running.worker.planner_query import Questions

_TELL = "Tell the author of the loader's plugin; `tunesmith plugin list` names it."


class ModelResolver:
    """Callable: URI -> `ModelInfo`.

    The answer is kept in ``resolved/`` of the home, so that a name that moves (a branch) stays what it was when the project first saw
    it. A loader with the fact ``volatile`` (it looks at files that may change under it) is asked every time.

    Args:
        refresh: ask again, whatever is kept.
        reporter: told of the loader's progress and log.
    """

    def __init__(
        self, registry: Registry, config: Config, *, refresh: bool = False, reporter: Reporter | None = None,
        starter: Starter | None = None,
    ) -> None:  # fmt: skip
        self._registry, self._config = registry, config
        self.refresh = refresh
        self.reporter = reporter or Silent()
        self._questions = Questions(config.cache, config.roots, self.reporter, starter)

    def __call__(self, uri: str) -> ModelInfo:
        """
        Raises:
            TunesmithError: what the loader raises (TS-MODEL-...), TS-MODEL-011 when none serves the URI, TS-MODEL-030 when the
                configuration does not allow it, TS-STORE-... when its answer can't be kept.
        """
        self._config.check_model(uri)
        loader = self.loader(uri)
        note = self._config.home / "resolved" / (hashlib.sha256(canonical([uri, loader.identity])).hexdigest() + ".json")
        kept = not loader.facts.get("volatile")
        if kept and not self.refresh:
            with contextlib.suppress(TypeError):  # not known yet, or not by this version
                return ModelInfo(**read_note(note))
        try:
            info = ModelInfo(**self._ask(uri, loader))
            if kept:
                make_home(self._config.home, self._config.group)
                write_note(note, info.__dict__)
        except OSError as error:
            raise disk_error(error) from error
        return info

    def loader(self, uri: str) -> ProviderRecord:
        """The loader that serves the URI's scheme; of several, the one with the highest priority."""
        scheme, separator, _ = uri.partition("://")
        loaders = self._registry.providers("model_loader").values()
        serving = [record for record in loaders if separator and scheme in record.facts.get("schemes", ())]
        if not serving:
            what = f"No installed loader brings `{uri}`" if separator else f"`{uri}` is no path that exists, and names no scheme"
            raise UserError("TS-MODEL-011", what, fix=uri_hint(uri, self._registry))
        return max(serving, key=lambda record: record.priority)

    def _ask(self, uri: str, loader: ProviderRecord) -> Mapping[str, Any]:
        layouts = [one.facts["layouts"] for plugin in self._registry.plugins for one in plugin.providers if "layouts" in one.facts]
        verb = self._registry.verb("download")
        verb = replace(verb, target="tunesmith.verbs.download:resolve", facts={**verb.facts, "layouts": layouts})
        step = PlannedStep(
            name="model", group="model", verb=verb, choices={"model_loader": Choice(loader)}, settings={"uri": uri}, inputs={}, format="",
        )  # fmt: skip
        try:
            return self._questions(step, refresh=self.refresh)
        except WorkerDied as error:
            raise TunesmithError("TS-MODEL-012", f"The loader of `{uri}` crashed", why=str(error), fix=_TELL) from None
