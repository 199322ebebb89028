"""Verbs that compose other providers: planned and prepared by the kernel, from a pipeline of the plugin's author."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.config import Config
from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.digests import FileDigests
from tunesmith.errors import TunesmithError
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.placement.devices import probe
from tunesmith.planning.placement.environments import Environments
from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.records import ProviderRecord
from tunesmith.plugins.registry import Registry
from tunesmith.policy import normal
from tunesmith.running.model_resolver import ModelResolver
from tunesmith.running.runner import Runner
from tunesmith.running.steps.environments import environments_of
from tunesmith.running.worker.step_request import step_request
from tunesmith_sdk.conformance.bench.composed_step import Composed
from tunesmith_sdk.conformance.checks import CheckFailed, NotRun


def compose(record: ProviderRecord, pipeline: Mapping[str, Any], registry: Registry, config: Config, folder: Path) -> Composed:
    """Plan a pipeline, run what comes before the last step of the verb, and give that step.

    Args:
        folder: of this examination's own: relative paths start here, and the pipeline's artifacts are kept below.

    Raises:
        CheckFailed: the pipeline can't be planned, fails before that step, or has none.
        NotRun: the step needs several processes or a running service.
    """
    config = dataclasses.replace(config, home=folder / ".tunesmith")
    try:
        spec = PipelineSpec.from_mapping(pipeline, folder)
        plan = make_plan(
            spec, registry, resolve=ModelResolver(registry, config), devices=probe(registry),
            digest_of=FileDigests(config.cache / "digests"), preferences=config.environments.plugins,
            locks=lambda: environments_of(config.environments, registry), roots=config.roots,
        )  # fmt: skip
    except TunesmithError as error:
        raise CheckFailed(f"its author's `pipeline` can't be planned: {error}", fix="Correct it.") from error
    step = _step(record, plan)
    before = list(_before(step, plan))
    if step.placement.processes > 1 or any(one.verb.service for one in before):
        raise NotRun("its step takes several processes or reads a service", where="a simpler `pipeline` in the author's file")
    outcome = Runner(dataclasses.replace(plan, steps=tuple(before), gates=(), outputs=()), registry, config, keep_serving=False).run()
    if outcome.error:
        raise CheckFailed(f"its author's `pipeline` fails before the step: {outcome.error}", fix="Correct it.")
    inputs = {
        name: outcome.artifacts[source.step] if source.step else Artifact(source.format, Path(str(source.file)), source.digest)
        for name, source in step.inputs.items()
    }
    request = step_request(step, inputs, folder, folder)
    return Composed(
        {name: request[name] for name in request if name not in ("output", "work")}, step.format, Environments(registry).plugins(step)
    )


def _step(record: ProviderRecord, plan: Plan) -> PlannedStep:
    for step in reversed(plan.steps):
        if (step.verb.name, normal(step.verb.distribution)) == (record.name, normal(record.distribution)):
            return step
    raise CheckFailed(f"its author's `pipeline` has no step of the verb `{record.name}`", fix="Make it the last one.")


def _before(step: PlannedStep, plan: Plan) -> Iterator[PlannedStep]:
    """The steps that a step reads from, and those that these read from, in the plan's order."""
    wanted = {source.step for source in step.inputs.values()} | {*step.after}
    found = []
    for one in reversed(plan.steps):
        if one.name in wanted:
            found.append(one)
            wanted |= {source.step for source in one.inputs.values()} | {*one.after}
    yield from reversed(found)
