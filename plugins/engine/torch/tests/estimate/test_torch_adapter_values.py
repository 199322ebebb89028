"""What has to see the model's values is refused before anything runs where processes begin without them."""

from __future__ import annotations

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_torch.estimate.adapter_values import check_values

DIVIDED = {"parameters": 0.5, "host_loading": 1.0}


def asked(adapter, strategy=DIVIDED, reference=0.0, processes=2):
    check_values(
        EstimateRequest(parts={"adapter": adapter, "strategy": strategy, "objective": {"reference": reference}}, processes=processes)
    )


@pytest.mark.parametrize(("adapter", "reference"), [({"sees_values": 1.0}, 0.0), ({"keeps_values": 1.0}, 1.0)])
def test_an_adapter_that_needs_values_that_are_not_there_is_refused(adapter, reference):
    with pytest.raises(UserError, match="TS-TRAIN-073"):
        asked(adapter, reference=reference)
    asked(adapter, {"parameters": 1.0}, reference)
    asked(adapter, reference=reference, processes=1)


def test_values_that_are_kept_for_a_reference_are_kept_only_for_one():
    asked({"keeps_values": 1.0})
