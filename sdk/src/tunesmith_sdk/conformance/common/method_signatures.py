"""How the providers of each of the kernel's kinds are called, as (method, arguments); a name with ``=`` is given by keyword."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

#: kind -> its shapes, of which a provider has one
METHODS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "adapter": (
        {"attach": "model seed= reference=", "reference": "model", "save": "model directory", "load": "model directory", "merge": "model"},
    ),
    "device_backend": ({"probe": ""},),
    "environment_builder": ({"open": "directory offline find_links"},),
    "evaluator": ({"evaluate": "subject data step"},),
    "executor": ({"run": "step job report"},),
    "exporter": ({"export": "source output step"},),
    "inference_backend": ({"serve": "model name address step"}, {"engine": "model name address step"}),
    "input_reader": ({"read": "request planner"},),
    "model_loader": ({"resolve": "uri step", "fetch": "info output step"},),
    "quantizer": ({"quantize": "model output calibration step"},),
    "trainer_strategy": (
        {
            "start": "placement", "prepare": "source optimizer", "sum": "value", "barrier": "", "finish": "",
        },
    ),
}  # fmt: skip


def shape_of(contract: type) -> Mapping[str, str]:
    """The shape that a protocol gives: its methods, with all of their arguments."""
    methods = {name: value for name, value in vars(contract).items() if inspect.isfunction(value) and not name.startswith("_")}
    return {name: " ".join(map(_word, [*inspect.signature(method).parameters.values()][1:])) for name, method in methods.items()}


def _word(parameter: inspect.Parameter) -> str:
    return parameter.name + "=" * (parameter.kind is inspect.Parameter.KEYWORD_ONLY)
