"""Which type of numbers a step computes in: one rule, for plan and run, on every device."""

import pytest

from tunesmith.contracts import EstimateRequest, Placement
from tunesmith_models import compute_type, stored_type

OLD, NEW = ("float32",), ("float32", "bfloat16")
GPU_OF_2018, GPU = ("float32", "float16"), ("float32", "float16", "bfloat16")


@pytest.mark.parametrize(
    ("stored", "device", "native", "found"),
    [
        ("bfloat16", "cpu", NEW, "bfloat16"), ("bfloat16", "cpu", OLD, "float32"), ("float16", "cpu", OLD, "float32"),
        ("float16", "cpu", NEW, "bfloat16"), ("float32", "cpu", NEW, "float32"), ("", "loom", GPU, "float32"),
        ("bfloat16", "loom", GPU, "bfloat16"), ("bfloat16", "loom", GPU_OF_2018, "float16"), ("float16", "loom", GPU, "float16"),
        ("bfloat16", "cpu", GPU_OF_2018, "float32"),
    ],
)  # fmt: skip
def test_it_is_the_one_that_is_stored_where_that_is_native_and_never_an_emulated_one(stored, device, native, found):
    assert compute_type("auto", stored, Placement(device, dtypes=native))[0] == found
    assert compute_type("auto", stored, EstimateRequest({}, device=device, dtypes=native))[0] == found


@pytest.mark.parametrize(("native", "found"), [(OLD, "float32"), (NEW, "bfloat16"), (GPU_OF_2018, "float16"), (GPU, "bfloat16")])
def test_training_takes_bfloat16_where_it_is_native_else_float16_on_a_gpu_else_float32(native, found):
    assert compute_type("auto", "", Placement("loom", dtypes=native), training=True)[0] == found
    assert compute_type("auto", "", Placement("cpu", dtypes=GPU_OF_2018), training=True)[0] == "float32"


def test_what_is_asked_for_is_taken_and_an_emulated_type_is_called_slow():
    assert compute_type("float32", "bfloat16", Placement("loom", dtypes=OLD)) == ("float32", "the setting says so")
    assert "slow" in compute_type("bfloat16", "bfloat16", Placement("loom", dtypes=OLD))[1]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"dtype": "bfloat16"}, "bfloat16"), ({"torch_dtype": "float16"}, "float16"), ({"text_config": {"dtype": "float32"}}, "float32"),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_stored_type_is_what_the_configuration_says(config, found):
    assert stored_type(config) == found
