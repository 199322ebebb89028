"""What a plan can tell of the questions before they are asked."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import check_media
from tunesmith_statistics import resolution


def estimate(request: EstimateRequest) -> Estimate:
    """No memory to speak of; what so many questions can show.

    Raises:
        UserError: TS-DATA-032 when the questions show or play something that the model behind the endpoint does not take.
    """
    rows = int(request.data.get("rows", 0)) - int(request.settings.get("num_fewshot", 0))
    return Estimate({}, decisions=resolution(rows), warnings=(*check_media(request), *request.data.get("warnings", ())))
