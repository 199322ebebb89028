"""Metrics by name."""

from __future__ import annotations

from tunesmith_generation.metrics.matches import Contains, ExactMatch, JsonSchema, Regex
from tunesmith_generation.metrics.metric import Metric
from tunesmith_generation.metrics.overlap import Corpus, Rouge
from tunesmith_generation.settings import GenerationSettings


def metrics(settings: GenerationSettings) -> dict[str, Metric]:
    """Those that the settings name, in their order.

    Raises:
        UserError: TS-EVAL-002 where a pattern or schema is none.
    """
    return {name: _metric(name, settings) for name in settings.metrics}


def _metric(name: str, settings: GenerationSettings) -> Metric:
    if name == "exact_match":
        return ExactMatch()
    if name == "contains":
        return Contains()
    if name == "regex":
        return Regex(settings.pattern)
    if name == "json_schema":
        return JsonSchema(settings.schema)
    return Rouge(name) if name.startswith("rouge") else Corpus(name, settings.tokenize)
