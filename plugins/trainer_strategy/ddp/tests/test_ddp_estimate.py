"""What the plan is told of what a replica sends, and of what serves a machine."""

from __future__ import annotations

from tunesmith.contracts import Device, EstimateRequest
from tunesmith_ddp.estimate import shares, variants


def test_gradients_go_around_a_ring_once_a_step():
    assert shares(EstimateRequest(settings={"num_processes": 4})) == {"reduce_step": 1.5}
    assert shares(EstimateRequest(settings={"num_processes": 1})) == {"reduce_step": 0.0}


def test_a_replica_for_each_of_several_devices_is_offered():
    card = Device("card", 1, 1, 0)
    assert variants(EstimateRequest(devices=(card,) * 3)) == [{"num_processes": 3}]
    assert variants(EstimateRequest(devices=(card,))) == []


def test_no_more_replicas_than_a_batch_has_rows_are_offered():
    eight = (Device("card", 1, 1, 0),) * 8
    assert variants(EstimateRequest(devices=eight, step_settings={"batch_size": 4})) == [{"num_processes": 4}]
    assert variants(EstimateRequest(devices=eight, step_settings={"batch_size": 4}, data={"rows": 3})) == [{"num_processes": 3}]
    assert variants(EstimateRequest(devices=eight, step_settings={"batch_size": 1})) == []
