"""A checkpoint of packed matrices is written as a plain one: what was packed unpacked, what was not as it was, nothing left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.contracts import UserError
from tunesmith_models.packed_matrices import read_packing, unpack_matrices, write_plain

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

NEEDED = ("qweight", "scales")
Q = torch.tensor([[1, -2], [3, 4], [0, 7]], dtype=torch.int8)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """With one packed matrix, which has an order and a bias, and a norm that ends as a part does."""
    tensors = {
        "up.qweight": Q, "up.scales": torch.tensor(0.5), "up.g_idx": torch.tensor([1, 0]), "up.bias": torch.ones(3),
        "norm.scales": torch.full((2,), 2.0),
    }  # fmt: skip
    folder = tmp_path / "packed"
    folder.mkdir()
    safetensors.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"hidden_size": 2, "quantization_config": {"bits": 8}}))
    (folder / "tokenizer.json").write_text("{}")
    return folder


def unpack(parts):
    assert set(parts) == {"qweight", "scales", "g_idx"}
    return (parts["qweight"] * parts["scales"])[:, parts["g_idx"]]


def test_what_was_packed_is_a_plain_matrix_and_the_rest_is_as_it_was(packed: Path, tmp_path: Path, local_step):
    output = tmp_path / "plain"
    output.mkdir()
    config, packing = read_packing(packed, "older.json")
    tensors, matrices = unpack_matrices(packed, local_step(), unpack, dtype="float32", needed=NEEDED, optional=("g_idx",))
    result = write_plain(packed, output, config, tensors, "float32")
    found = safetensors.load_file(output / "model.safetensors")
    assert (packing, matrices) == ({"bits": 8}, ["up"])
    assert found["up.weight"].tolist() == [[-1.0, 0.5], [2.0, 1.5], [3.5, 0.0]]
    assert {name: value.tolist() for name, value in found.items() if name != "up.weight"} == {
        "up.bias": [1.0] * 3, "norm.scales": [2.0] * 2,
    }  # fmt: skip
    assert json.loads((output / "config.json").read_text()) == {"hidden_size": 2, "torch_dtype": "float32", "dtype": "float32"}
    assert (output / "tokenizer.json").is_file()
    assert result.metrics["bytes"] == (output / "model.safetensors").stat().st_size


def test_an_older_checkpoint_says_in_a_file_of_its_own_how_it_is_packed(packed: Path):
    (packed / "config.json").write_text("{}")
    (packed / "older.json").write_text('{"bits": 4}')
    assert read_packing(packed, "older.json") == ({}, {"bits": 4})


def test_a_matrix_that_lacks_a_part_is_refused(packed: Path, local_step):
    with pytest.raises(UserError, match="TS-MODEL-022"):
        unpack_matrices(packed, local_step(), unpack, dtype="float32", needed=(*NEEDED, "qzeros"))
