"""No more processes than devices, and what is said of those without rows."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Device, EstimateRequest, UserError
from tunesmith_torch.estimate.process_count import check_devices, without_rows


def request(processes: int, devices: int, device: str = "cuda", name: str = "H100", **strategy: float) -> EstimateRequest:
    here = (Device(name, 1 << 36, 1 << 36, 0),) * devices
    return EstimateRequest(device=device, devices=here, processes=processes, parts={"strategy": strategy})


def test_more_processes_than_devices_are_refused_where_each_takes_one():
    with pytest.raises(UserError, match="TS-TRAIN-077: 4 processes need 4 devices, and there is 1") as caught:
        check_devices(request(4, 1))
    assert "4xCARD" in (caught.value.fix or "")


@pytest.mark.parametrize("fine", [request(4, 1, "cpu"), request(4, 4), request(1, 8), request(4, 0), request(4, 1, name="")])
def test_processors_are_shared_and_of_what_is_not_here_nothing_is_known(fine):
    check_devices(fine)


def test_processes_that_never_have_a_row_are_told_of():
    assert not list(without_rows(request(4, 4), 4.0))
    (idle,) = without_rows(request(8, 8), 3.0)
    assert idle.startswith("5 of 8 processes never have a row: a batch has 3, and they bring nothing")
    (held,) = without_rows(request(8, 8, parameters=1 / 8), 7.0)
    assert held.startswith("1 of 8 processes never has a row")
    assert "hold a part of the model" in held
    assert not list(without_rows(request(8, 8, data=2.0), 2.0))  # of those that compute a row together each has it
    assert next(iter(without_rows(request(8, 8, data=4.0), 2.0))).startswith("4 of 8")
