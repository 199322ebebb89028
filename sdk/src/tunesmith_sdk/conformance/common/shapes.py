"""How each kind's providers are called, as (method, arguments); a name with ``=`` is given by keyword."""

from __future__ import annotations

from collections.abc import Mapping

#: kind -> its shapes, of which a provider has one
METHODS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "adapter": (
        {"attach": "model seed= reference=", "reference": "model", "save": "model directory", "load": "model directory", "merge": "model"},
    ),
    "dataset_format": ({"convert": "row"},),
    "device_backend": ({"probe": ""},),
    "environment_builder": ({"open": "directory offline find_links"},),
    "evaluator": ({"evaluate": "subject rows step"},),
    "executor": ({"start": "launch"},),
    "exporter": ({"export": "source output step"},),
    "inference_backend": ({"serve": "model name address step"}, {"engine": "model name address step"}),
    "input_reader": ({"read": "request planner"},),
    "model_loader": ({"resolve": "uri step", "fetch": "info output step"},),
    "objective": ({"encode": "row chat", "weight": "group", "loss": "batch"},),
    "optimizer": ({"build": "parameters learning_rate= device="},),
    "quantizer": ({"quantize": "model output calibration step"},),
    "searcher": ({"ask": "", "tell": "settings score"},),
    "trainer_strategy": (
        {
            "start": "placement", "wrap": "model optimizer", "accumulating": "model last", "sum": "value", "clip": "model limit",
            "state": "model optimizer", "load_state": "model optimizer state", "barrier": "", "finish": "",
        },
    ),
}  # fmt: skip
