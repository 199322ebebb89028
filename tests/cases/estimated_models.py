"""Models of real sizes on devices of real sizes, estimated without weights: what the tables of what `auto` takes are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith.contracts import Device
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith_cli.estimate.step import StepEstimate, StepEstimator
from tunesmith_cli.launch import Session
from tunesmith_models import ModelShape

CASES = Path(__file__).with_name("estimates")
GIB = 2**30
NOTHING = "nothing fits"


@cache
def config(model: str) -> dict[str, Any]:
    """The model's ``config.json``."""
    return json.loads((CASES / f"{model}.json").read_text())


def shape(model: str) -> ModelShape:
    found = ModelShape.from_config(config(model))
    assert found is not None
    return found


@cache
def session() -> tuple[Session, Estimators]:
    """What is installed, and the process that estimates: one for all tests of a process."""
    return Session.open(), Estimators()


def estimator(model: str, backend: str, devices: Sequence[Device], format: str = "model/hf", size: int = 0) -> StepEstimator:
    """Of steps that read the model, on devices of a backend.

    Args:
        size: of its files, in bytes; 0: as its configuration says.
    """
    opened, estimators = session()
    product = Product("model", "model", format, config=config(model), size=size)
    return StepEstimator(opened.registry, {backend: tuple(devices)}, product, {}, backend, estimators)


def taken(found: StepEstimate, slot: str) -> str:
    """A column of a table: what is taken for a slot, with its settings, or that nothing fits."""
    if not found.fits:
        return NOTHING
    return next((one.words for one in found.alternatives if one.taken), found.choices[slot].record.name)
