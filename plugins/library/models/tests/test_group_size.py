"""What is shared by quantizers that keep a scale for a group of weights."""

import pytest

from tunesmith.contracts import UserError
from tunesmith_models import ModelShape
from tunesmith_models.group_size import fitting_group_size

SHAPE = ModelShape(30, 576, 1536, 9, 3, 64, 49152, True, 8192)


@pytest.mark.parametrize("size", [-1, 16, 32, 64])
def test_group_sizes_that_divide_all_matrices_are_taken(size):
    assert fitting_group_size(SHAPE, size) == size


@pytest.mark.parametrize(("columns", "chosen"), [(576, 64), (4096, 128), (48, 16)])
def test_where_none_is_wanted_the_largest_usual_one_that_fits_is_taken(columns, chosen):
    assert fitting_group_size(ModelShape(2, columns, 2 * columns, 1, 1, columns, 100, True, 64), 0) == chosen


def test_a_group_size_that_does_not_fit_is_told_with_those_that_do():
    with pytest.raises(UserError, match="TS-QUANT-001") as caught:
        fitting_group_size(SHAPE, 128)
    assert "576 columns" in caught.value.what
    assert "1536" not in caught.value.what, "128 divides that one"
    assert caught.value.fix == "Write `group_size: 64`. These fit, too: 16, 32."


def test_a_model_that_no_group_fits_is_told_what_is_left():
    odd = ModelShape(2, 63, 63, 7, 7, 9, 100, True, 64)
    with pytest.raises(UserError, match="TS-QUANT-001") as caught:
        fitting_group_size(odd, 0)
    assert "-1" in caught.value.fix


def test_unknown_sizes_are_left_to_the_library():
    assert fitting_group_size(None, 7) == 7
    assert fitting_group_size(None, 0) == 128
