"""Which model a training step computes with: known from the configuration and the adapter's estimator, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_torch.model.dense.config import DenseSpec, NotDense, dense_spec

PLAIN, QUANTIZED = "model/hf", "quantization_config"
ENGINE, TRANSFORMERS = "the engine's own decoder", "transformers' model"


DIVIDED: tuple[str, str] = (TRANSFORMERS, "the strategy divides parameters, and the engine's decoder moves some of them together")
OWN: tuple[str, str] = ("a model of the strategy's own", "it is made from the model's sizes; weights are moved into it, not changed")


def model_impl(
    config: Mapping[str, Any], adapter: Mapping[str, float], format: str = PLAIN, *, divided: bool = False, own: bool = False
) -> tuple[DenseSpec | None, tuple[str, str]]:
    """The engine's decoder, or None for transformers' model; and that as a decision with its reason.

    Args:
        config: of the model that the pipeline starts from; what is inserted before the step may have changed how its weights are kept.
        adapter: the parts that its estimator gives.
        format: of the model as the step reads it.
        divided: whether the strategy divides parameters.
        own: whether it computes with a model of its own.
    """
    if divided or own:
        return None, OWN if own else DIVIDED
    plain = {key: value for key, value in config.items() if key != QUANTIZED}
    config = plain if format in ("", PLAIN) else {**plain, QUANTIZED: format}
    if not adapter.get("modules_only"):
        return None, (TRANSFORMERS, _because(adapter))
    try:
        spec = dense_spec(config)
    except NotDense as reason:
        return None, transformers_impl(reason)
    return spec, engine_impl(spec)


def engine_impl(spec: DenseSpec) -> tuple[str, str]:
    """The engine's decoder as a decision with its reason."""
    return ENGINE, f"it computes what transformers' {spec.family} does, with less work and memory"


def transformers_impl(reason: NotDense) -> tuple[str, str]:
    """transformers' model as a decision with its reason."""
    return TRANSFORMERS, f"the engine has no decoder of its own for it: {reason}"


def _because(adapter: Mapping[str, float]) -> str:
    if adapter.get("quantized"):
        return "the adapter loads the base itself, in fewer bits"
    return "the adapter may need more of the model than its modules: it does not say that it does not"
