"""What a plan can tell of the questions before they are asked."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import check_media


def estimate(request: EstimateRequest) -> Estimate:
    """No memory to speak of.

    Raises:
        UserError: TS-DATA-032 when the questions show or play something that the model behind the endpoint does not take.
    """
    return Estimate({}, warnings=check_media(request))
