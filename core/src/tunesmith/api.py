"""Pipelines from Python, in the grammar of the pipeline file.

Example::

    import tunesmith as ts

    pipeline = ts.Pipeline(
        model="scheme://name",
        steps={"tune": {"train": "objective", "data": "train.jsonl", "settings": {"epochs": 3}}},
    )
    print(pipeline.plan())
    outcome = pipeline.run()
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.planning.pipeline.spec import PipelineSpec
    from tunesmith.planning.plan import Plan
    from tunesmith.running.model_resolver import ModelResolver
    from tunesmith.running.outcome import RunOutcome
    from tunesmith.running.reporter import Reporter
    from tunesmith.session import Session


class Pipeline:
    """A pipeline made in Python.

    Args:
        steps: step name -> what a pipeline file would say of it.
        model: URI of the model that it starts from.
        name: of the pipeline.
        seed: of every step that has none of its own.
        device: a device backend, or ``auto``.
        executor: where steps run that don't say so themselves: a name, or {name: settings}; None: on this machine.
        ignore_estimates: refuse nothing because an estimate of memory or disk is too large.
        base: directory that relative paths start from; default: the current one.
        home: the project's state; default: as for the command.
        more: further keys of a pipeline file, those of kinds that listen to runs.

    Raises:
        Problems: it holds nothing of a pipeline, or what no pipeline file could; all else that is wrong is told by `plan`.
    """

    def __init__(
        self, *, steps: Mapping[str, Mapping[str, Any]], model: str | Path = "", name: str = "pipeline", seed: int = 0,
        device: str = "auto", executor: str | Mapping[str, Any] | None = None, ignore_estimates: bool = False,
        base: Path | str | None = None, home: Path | str | None = None, **more: Any,
    ) -> None:  # fmt: skip
        from tunesmith.planning.pipeline.spec import PipelineSpec

        data = {
            "name": name, "model": model or None, "seed": seed, "device": device, "executor": executor, "steps": steps,
            "ignore_estimates": ignore_estimates,
        } | more  # fmt: skip
        self._made(PipelineSpec.from_mapping(data, Path(base or Path.cwd()).absolute()), home)

    @classmethod
    def load(cls, path: Path | str, *, home: Path | str | None = None) -> Pipeline:
        """The pipeline in a file, or in the `tunesmith.yaml` of a folder."""
        from tunesmith.planning.pipeline.spec import load_pipeline

        pipeline = cls.__new__(cls)
        pipeline._made(load_pipeline(Path(path)), home)
        return pipeline

    def _made(self, spec: PipelineSpec, home: Path | str | None) -> None:
        self.spec = spec
        self.home = None if home is None else Path(home)

    def plan(self, *, strict: bool = False) -> Plan:
        """What would be done, and why. Reads and checks the data files, asks what the model is; computes nothing.

        Args:
            strict: a capability that nobody vouches for is an error.

        Raises:
            Problems: all that is wrong.
        """
        session = self._session()
        return session.planned(self.spec, self._resolver(session), strict)

    def run(
        self, *, strict: bool = False, reporter: Reporter | None = None, keep_serving: bool = False, refresh: bool = False
    ) -> RunOutcome:
        """Plan and carry out. What was done before and has not changed is not done again.

        Args:
            reporter: told what happens; default: nobody.
            keep_serving: stay with servers that end the pipeline until they are stopped.
            refresh: do everything again.

        Raises:
            TunesmithError: what is wrong with the pipeline; a run that fails tells so in its outcome.
        """
        from tunesmith.running.reporter import Silent
        from tunesmith.running.runner import Runner

        session = self._session()
        plan = session.planned(self.spec, self._resolver(session, refresh), strict)
        runner = Runner(
            plan, session.registry, session.config, reporter=reporter or Silent(), keep_serving=keep_serving, refresh=refresh
        )  # fmt: skip
        return runner.run()

    def _session(self) -> Session:
        from tunesmith.session import Session

        return Session.open(self.spec.place, self.home)

    def _resolver(self, session: Session, refresh: bool = False) -> ModelResolver:
        from tunesmith.running.model_resolver import ModelResolver

        return ModelResolver(session.registry, session.config, refresh=refresh)
