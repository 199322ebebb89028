"""A plan of nothing but a model: the step that every pipeline with this model begins with, so that they share what it brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.planning.inputs.model_source import ModelOrigin
from tunesmith.planning.pipeline.spec import PipelineSpec
from tunesmith.planning.plan import Plan
from tunesmith.planning.problems import Notes
from tunesmith.planning.providers.lookup import Chooser

if TYPE_CHECKING:
    from tunesmith.plugins.registry import Registry


def plan_model(uri: str, registry: Registry, resolve: Callable[[str], ModelInfo], *, base: Path, name: str = "download") -> Plan:
    """Plan to fetch a model.

    Args:
        resolve: what a model URI names.
        base: directory that relative paths start from.

    Raises:
        Problems: why it can't be had.
    """
    notes = Notes()
    spec = PipelineSpec(name, uri, {}, base)
    chooser = Chooser(spec, registry, notes)
    origin = ModelOrigin(spec, chooser, notes, resolve)
    product = origin.product
    notes.raise_problems()
    assert product is not None
    assert origin.step is not None
    step = chooser.environments.placed(replace(origin.step, inserted=False))
    return Plan(name, None, (step,), warnings=tuple(notes.warnings), outputs=(step.name,))
