"""Packed matrices as the plain ones: packed here word by word, as the layouts' own packages describe them, and unpacked by the audit."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from tunesmith_audit.files.packed_weights import plain
from tunesmith_audit.files.tensors import tensors_of

ROWS, COLUMNS, GROUP = 16, 64, 32
RANDOM = np.random.default_rng(0)


def words(codes, bits, order=None):
    """Codes of a row side by side in words of 32 bits; `order`: which of a word's codes each place holds."""
    each = 32 // bits
    order = order or range(each)
    packed = np.zeros((codes.shape[0], codes.shape[1] // each), np.uint32)
    for word in range(packed.shape[1]):
        for place, column in enumerate(order):
            packed[:, word] |= codes[:, word * each + column].astype(np.uint32) << np.uint32(bits * place)
    return packed.view(np.int32)


def read(folder, parts, **config):
    save_file({name: np.ascontiguousarray(part) for name, part in parts.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({}))
    return plain(tensors_of(folder), (ROWS, COLUMNS), config)


@pytest.mark.parametrize(("bits", "symmetric"), [(4, True), (4, False), (8, True), (8, False)])
def test_rows_of_compressed_tensors(tmp_path, bits, symmetric):
    codes = RANDOM.integers(0, 2**bits, (ROWS, COLUMNS))
    scales = RANDOM.random((ROWS, COLUMNS // GROUP)).astype(np.float32)
    zeros = np.full(scales.shape, 2 ** (bits - 1)) if symmetric else RANDOM.integers(0, 2**bits, scales.shape)
    parts = {"weight_packed": words(codes, bits), "weight_scale": scales, "weight_shape": np.array([ROWS, COLUMNS])}
    if not symmetric:
        parts["weight_zero_point"] = words(zeros.T, bits).T
    expected = (codes - np.repeat(zeros, GROUP, 1)) * np.repeat(scales, GROUP, 1)
    assert np.allclose(read(tmp_path, parts), expected)


def test_columns_of_awq_lie_in_its_own_order(tmp_path):
    codes = RANDOM.integers(0, 16, (COLUMNS, ROWS))
    zeros, scales = RANDOM.integers(0, 16, (COLUMNS // GROUP, ROWS)), RANDOM.random((COLUMNS // GROUP, ROWS)).astype(np.float16)
    order = (0, 2, 4, 6, 1, 3, 5, 7)  # AutoAWQ, `WQLinear_GEMM.from_linear`
    parts = {"qweight": words(codes, 4, order), "qzeros": words(zeros, 4, order), "scales": scales}
    expected = ((codes - np.repeat(zeros, GROUP, 0)) * np.repeat(scales.astype(np.float32), GROUP, 0)).T
    assert np.allclose(read(tmp_path, parts, quant_method="awq", bits=4, version="gemm"), expected)
    assert read(tmp_path, parts, quant_method="awq", bits=4, version="gemv") is None


def test_what_is_packed_otherwise_is_left_alone(tmp_path):
    parts = {"weight_packed": np.zeros((ROWS, 6), np.int32), "weight_scale": np.ones((ROWS, 1), np.float32)}
    assert read(tmp_path, parts, quant_method="compressed-tensors") is None
