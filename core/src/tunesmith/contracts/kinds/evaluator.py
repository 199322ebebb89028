"""Contract of kind ``evaluator``: numbers about a model or an endpoint.

``accepts``: what it evaluates (``model/hf``, ``endpoint/openai``; one that gives numbers in place of words by its role,
``model/hf+score``): the planner converts and serves as needed. Facts: ``data``, the formats of rows that it reads
(``["dataset/chat"]``): the plan asks for such rows and refuses others; left out, it reads none. ``metrics`` (name -> ``{"better": "lower"
| "higher", "summary": ..., "reference": false}``; without ``better`` it is no matter of better or worse; ``reference`` false: it is
measured without the answers that rows expect, as a length or a judge's mark is; left out, against them). ``timed``
true: its metrics are times or rates, which differ from one evaluation to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.step import Step


@dataclass(frozen=True)
class Evaluation:
    """Metrics by name, and a record per row, for people who look behind the numbers; no times in either, but in the metrics of an evaluator
    with the fact ``timed``.

    What shows records to people reads of each: ``question``, ``expected``, ``answer``, and ``right`` (true or false) or ``score`` (a
    number); it may hold more.
    """

    metrics: Mapping[str, float]
    samples: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


class Evaluator(Protocol):
    def evaluate(self, subject: Artifact, data: Artifact | None, step: Step) -> Evaluation:
        """Evaluate `subject` (its `meta["url"]` and `meta["model"]` if it is an endpoint) on `data`, rows in one of the formats of its fact
        ``data``; None for one that reads none."""
