"""A model without values: an adapter that has to see them is refused, and any other fault is told as what it is."""

from __future__ import annotations

import pytest

from tunesmith.contracts import UserError
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_torch.training.model_source import BaseWithAdapter


class Attaching(Full):
    """Does something else with the first matrix when it is put on the model."""

    def __init__(self, first) -> None:
        super().__init__(FullSettings())
        self.first = first

    def attach(self, model, *, seed, reference=False):
        super().attach(model, seed=seed, reference=reference)
        self.first(next(model.parameters()))


def empty(bench, first):
    step = bench.step({"dtype": "float32"})
    return BaseWithAdapter(bench.base, Attaching(first), SupervisedTuning(), step.settings, step, lambda *_: None).empty()


def test_shapes_are_enough_for_an_adapter_that_asks_for_no_more(bench):
    assert all(parameter.is_meta for parameter in empty(bench, lambda matrix: matrix.shape).parameters())


@pytest.mark.parametrize("look", [lambda matrix: matrix.sum().item(), lambda matrix: matrix.cpu()], ids=["item", "copy"])
def test_an_adapter_that_has_to_see_values_is_refused(bench, look):
    with pytest.raises(UserError, match="TS-TRAIN-073"):
        empty(bench, look)


def test_another_fault_of_an_adapter_is_not_told_as_that(bench):
    with pytest.raises(RuntimeError, match="shape"):
        empty(bench, lambda matrix: matrix.reshape(7, -1))
