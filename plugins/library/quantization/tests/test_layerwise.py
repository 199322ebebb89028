"""Estimates of quantizing layer by layer, with a made-up library's work."""

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models import ModelShape
from tunesmith_quantization import layerwise, packed_size, refuse_experts
from tunesmith_sdk.testing.model_configs import SMOLLM2

ASKED = {"num_calibration_samples": 64, "max_seq_length": 256, "batch_size": 8, "group_size": 0}
MIXTRAL = {
    "model_type": "mixtral", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2, "vocab_size": 320, "tie_word_embeddings": False,
}  # fmt: skip


def estimated(config=SMOLLM2, rows=276, dtypes=("float32", "bfloat16"), grouped=True, **settings):
    request = EstimateRequest(config, 269_060_552, {**ASKED, **settings}, data={"rows": rows}, dtypes=dtypes)
    return layerwise(
        request, lambda sizes: {"calibration": sizes.tokens * sizes.each, "batch": float(sizes.batch)},
        lambda sizes: packed_size(sizes.shape, 4, sizes.group_size), libraries=1e6, grouped=grouped,
    )  # fmt: skip


def test_a_group_size_that_does_not_fit_is_refused_by_the_plan_and_none_is_the_largest_that_fits():
    with pytest.raises(UserError, match="TS-QUANT-001") as caught:
        estimated(group_size=128)
    assert "576" in caught.value.what
    assert "`group_size: 64`" in caught.value.fix
    assert estimated().disk == estimated(group_size=64).disk
    assert estimated(group_size=128, grouped=False).disk < estimated(group_size=64).disk


def test_no_more_rows_are_reckoned_with_than_there_are():
    assert estimated(rows=16).terms["calibration"] == estimated(num_calibration_samples=16).terms["calibration"] == 16 * 256 * 2
    assert estimated(rows=0).terms["calibration"] == estimated().terms["calibration"]


def test_where_bfloat16_is_not_native_it_is_computed_in_float32_and_written_as_before():
    native, other = estimated(), estimated(dtypes=("float32",))
    assert other.terms["model"] == 2 * native.terms["model"]
    assert other.disk == native.disk


def test_unknown_sizes_are_said():
    found = estimated(config={})
    assert found.notes
    assert found.terms["model"] == 269_060_552


def test_bits_groups_zeros_and_an_order_make_the_size():
    shape = ModelShape.from_config(SMOLLM2)
    assert packed_size(shape, 8, 0) > packed_size(shape, 4, 32) > packed_size(shape, 4, 64) > packed_size(shape, 4, -1)
    assert packed_size(shape, 4, 64, zeros=True, ordered=True) > packed_size(shape, 4, 64, zeros=True) > packed_size(shape, 4, 64)
    assert packed_size(shape, 4, -1) == packed_size(shape, 4, 0)


def test_experts_are_refused_with_their_share_and_other_models_are_not():
    with pytest.raises(UserError, match="TS-QUANT-008") as caught:
        refuse_experts(ModelShape.from_config(MIXTRAL), "AcmeQuant")
    assert "AcmeQuant" in caught.value.what
    assert "%" in caught.value.what
    assert "compressed-tensors" in caught.value.fix
    refuse_experts(ModelShape.from_config(SMOLLM2), "AcmeQuant")
    refuse_experts(None, "AcmeQuant")
