"""What a plan can tell of the questions before they are asked."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import check_media
from tunesmith_statistics import smallest_difference


def estimate(request: EstimateRequest) -> Estimate:
    """No memory to speak of; how small a difference of two models so many rows can show.

    Raises:
        UserError: TS-DATA-032 when the questions show or play something that the model behind the endpoint does not take.
    """
    rows = int(request.data.get("rows", 0)) - int(request.settings.get("num_fewshot", 0))
    notes = () if rows < 1 else (
        f"{rows} questions: a difference of {100 * smallest_difference(rows):.1f} points between two models is seen in 4 of 5 "
        "evaluations, at most",
    )  # fmt: skip
    return Estimate({}, notes=notes, warnings=check_media(request))
