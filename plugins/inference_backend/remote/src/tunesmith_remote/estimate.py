"""What a plan can tell of a model elsewhere."""

from __future__ import annotations

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_remote.settings_check import check

LIBRARIES = 64 * 2**20  # Python and aiohttp


def estimate(request: EstimateRequest) -> Estimate:
    """The proxy alone: no weights are here.

    Raises:
        UserError: see `check`.
    """
    check(request.settings, str(request.step_settings.get("host", "127.0.0.1")))
    return Estimate({"libraries": float(LIBRARIES)})
