"""Next to nothing is written; what does not fit together is told before."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest, UserError

LIBRARIES = 25e6
WRITTEN = 20e3


def estimate(request: EstimateRequest) -> Estimate:
    """
    Raises:
        UserError: TS-EXPORT-002 for more replicas at the least than at the most.
    """
    check_replicas(request.settings["replicas"], request.settings["max_replicas"])
    return Estimate({"libraries": LIBRARIES}, disk=WRITTEN)


def check_replicas(least: int, most: int) -> None:
    """
    Raises:
        UserError: TS-EXPORT-002.
    """
    if least > most:
        raise UserError(
            "TS-EXPORT-002", f"`replicas: {least}` is more than `max_replicas: {most}`",
            fix="Raise `max_replicas`, or take fewer replicas.",
        )  # fmt: skip
