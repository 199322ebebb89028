"""The configuration and the plugins that a pipeline is planned and run with: found in one way for commands and for Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tunesmith.config import Config, find_home, load_config
from tunesmith.plugins.registry import Registry, load_registry

if TYPE_CHECKING:
    from tunesmith.contracts.kinds.device_backend import Device
    from tunesmith.planning.inputs.input_readers import HostPlanner
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith.planning.plan import Plan
    from tunesmith.running.model_resolver import ModelResolver
    from tunesmith.running.reporter import Reporter

_Session = TypeVar("_Session", bound="Session")


@dataclass(frozen=True)
class Session:
    """Open one for what is worked with before anything is planned."""

    config: Config
    registry: Registry

    @classmethod
    def open(cls: type[_Session], start: Path | None = None, home: Path | None = None, beside: Sequence[Path] = ()) -> _Session:
        """
        Args:
            start: the pipeline's file or folder, whose project's policy holds; default: the current directory.
            home: default: the current directory's, whatever is worked with, so that commands typed one after the other share one.
            beside: further files that are read, whose projects' policies hold as well.

        Raises:
            Problems: what is wrong in the configuration files, for nothing may run under a policy that can't be read.
        """
        config = load_config(start, home or find_home(), beside)
        config.check()
        return cls(config, load_registry(config))

    def planned(
        self, spec: PipelineSpec, resolve: ModelResolver, strict: bool = False, devices: Mapping[str, Sequence[Device]] | None = None
    ) -> Plan:
        """The plan of a pipeline.

        Args:
            devices: by device backend, of another machine than this one.

        Raises:
            Problems: all that is wrong with the pipeline.
            UserError: TS-PLUGIN-022, TS-PLUGIN-023 when a plugin that the configuration requires is not at work.
            ValueError: the session was opened for something else, so another policy may hold for the pipeline.
        """
        from tunesmith.planning.estimates.estimators import Estimators
        from tunesmith.planning.placement.devices import probe
        from tunesmith.planning.planner import make_plan
        from tunesmith.plugins.required_plugins import check_required
        from tunesmith.running.steps.environments import environments_of

        if spec.place != self.config.start:
            raise ValueError(f"a session for {self.config.start} can't plan {spec.place}")
        check_required(self.config.required, self.registry.plugins)
        estimators, planner = Estimators(), self.planner(reporter=resolve.reporter, refresh=resolve.refresh)
        return make_plan(
            spec, self.registry, resolve=resolve, devices=devices or probe(self.registry, estimators), strict=strict,
            digest_of=planner.digest_of, memory=planner.memory, preferences=self.config.environments.plugins,
            locks=lambda: environments_of(self.config.environments, self.registry), roots=planner.roots, ask=planner.asks,
            estimators=estimators, defaults=self.config.pipelines,
        )  # fmt: skip

    def planner(self, base: Path | None = None, *, reporter: Reporter | None = None, refresh: bool = False) -> HostPlanner:
        """What an input reader may know and ask, for a command that looks into data without planning a step.

        Args:
            base: folder that relative paths start from; default: the current directory.
            reporter: told of the progress of what is asked.
            refresh: what was remembered does not count.
        """
        from tunesmith.contracts.digests import FileDigests
        from tunesmith.planning.inputs.file_check_cache import FileCheckCache
        from tunesmith.planning.inputs.input_readers import HostPlanner
        from tunesmith.planning.placement.environments import Environments

        def ask(*question: Any) -> Mapping[str, Any]:  # imported where somebody is asked: it takes its time
            from tunesmith.running.worker.planner_query import Questions

            return Questions(self.config.cache, self.config.roots, reporter)(*question)

        return HostPlanner(
            self.registry, Environments(self.registry, self.config.environments.plugins), base or Path.cwd(),
            FileDigests(self.config.cache / "digests", refresh=refresh), roots=self.config.roots, ask=ask,
            memory=FileCheckCache(self.config.cache / "inputs.json", refresh=refresh),
        )  # fmt: skip
