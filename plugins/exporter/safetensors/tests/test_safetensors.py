"""The same model in other files: what transformers loads of it computes the same, in as many shards and of the dtype that was asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith.contracts.settings import build, fill, schema_of
from tunesmith_safetensors.estimate import estimate
from tunesmith_safetensors.exporter import SafetensorsExporter, weight_files
from tunesmith_safetensors.settings import SafetensorsSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2

torch = pytest.importorskip("torch", reason="the runtime of this plugin is not installed")


@pytest.fixture
def export(local_step):
    def run(folder: Path, **settings: str) -> Path:
        step = local_step()
        SafetensorsExporter(SafetensorsSettings(**settings)).export(Artifact("model/hf", folder), step.output, step)
        return step.output

    return run


def tensors(folder: Path) -> dict:
    from safetensors.torch import load_file

    return {name: tensor for path in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(path).items()}


def logits(folder: Path):
    from transformers import AutoModelForCausalLM

    model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    with torch.no_grad():
        return model.eval()(torch.arange(3, 27).reshape(2, 12)).logits


@pytest.mark.parametrize("tied", [True, False])
def test_shards_hold_the_same_model_and_tied_weights_stay_tied(tiny_model, export, tied: bool):
    source = tiny_model("llama", tie_word_embeddings=tied)
    output = export(source, max_shard_size="20KB")
    before, after = tensors(source), tensors(output)
    assert before.keys() == after.keys()
    assert ("lm_head.weight" in after) is not tied
    assert all(torch.equal(before[name], after[name]) for name in before)
    index = json.loads((output / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in before.values())
    assert (
        sorted(set(index["weight_map"].values())) == [path.name for path in sorted(output.glob("*.safetensors"))] != ["model.safetensors"]
    )
    assert all(path.stat().st_size < 25_000 or len(json.loads(index_of(path))) == 2 for path in output.glob("*.safetensors"))
    torch.testing.assert_close(logits(output), logits(source), rtol=0, atol=0)
    whole = export(output)  # and back again
    assert [path.name for path in whole.glob("*.safetensors*")] == ["model.safetensors"]
    assert all(torch.equal(before[name], tensor) for name, tensor in tensors(whole).items())


def index_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(int.from_bytes(file.read(8), "little"))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_the_dtype_is_the_weights_and_the_configs(tiny_model, export, dtype: str):
    source = tiny_model("llama")
    output = export(source, dtype=dtype)
    assert {tensor.dtype for tensor in tensors(output).values()} == {getattr(torch, dtype)}
    config = json.loads((output / "config.json").read_text())
    assert config["dtype"] == dtype
    assert {**config, "dtype": ""} == {**json.loads((source / "config.json").read_text()), "dtype": ""}
    torch.testing.assert_close(logits(output), logits(source), rtol=0, atol=0.05)


def test_other_files_and_whole_numbers_stay_as_they_are(tiny_model, export, tmp_path: Path):
    from safetensors.torch import save_file

    source = tmp_path / "model"
    shutil.copytree(tiny_model("llama"), source)
    (source / "NOTICE").write_text("from the author")
    (source / "pytorch_model.bin").write_bytes(b"pickle")
    save_file({"ids": torch.arange(3), "small": torch.ones(2, dtype=torch.float8_e4m3fn)}, source / "model.safetensors")
    output = export(source, dtype="bfloat16")
    assert {name: str(tensor.dtype) for name, tensor in tensors(output).items()} == {"ids": "torch.int64", "small": "torch.float8_e4m3fn"}
    assert (output / "NOTICE").read_text() == "from the author"
    assert not (output / "pytorch_model.bin").exists()
    assert (export(source) / "config.json").read_bytes() == (source / "config.json").read_bytes()


def test_a_number_that_the_dtype_can_t_hold_is_refused_and_named(tmp_path: Path, export):
    from safetensors.torch import save_file

    save_file({"a": torch.tensor([1.0, 1e6])}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="TS-EXPORT-003") as caught:
        export(tmp_path, dtype="float16")
    assert "1e+06" in caught.value.why


def test_a_truncated_file_is_refused(tiny_model, export, tmp_path: Path):
    source = tmp_path / "model"
    shutil.copytree(tiny_model("llama"), source)
    file = source / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UserError, match="TS-MODEL-008"):
        export(source)


def test_weights_in_another_layout_beside_the_index_are_not_read(tmp_path: Path):
    (tmp_path / "consolidated.safetensors").touch()
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "model-1.safetensors"}})
    )
    assert weight_files(tmp_path) == [tmp_path / "model-1.safetensors"]


@pytest.mark.parametrize("size", ["5GB", "0.5 gb", "50KB", "100 MB", "1.5TB"])
def test_sizes_are_written_as_transformers_writes_them(size: str):
    from huggingface_hub.serialization._base import parse_size_to_int

    found = estimate(EstimateRequest({}, 10**15, fill(schema_of(SafetensorsSettings), {"max_shard_size": size})))
    assert found.terms["written"] == parse_size_to_int(size)


@pytest.mark.parametrize("size", ["5", "0GB", "0.0MB", "GB", "5XB", "-1GB", ""])
def test_what_is_no_size_is_refused(size: str):
    with pytest.raises(UserError, match="TS-SPEC-020"):
        build(SafetensorsSettings, {"max_shard_size": size})


def test_the_estimate_follows_dtype_and_shards():
    def of(**settings: str):
        return estimate(EstimateRequest(SMOLLM2, 269_060_552, fill(schema_of(SafetensorsSettings), settings)))

    assert of().disk == 269_060_552
    assert of(dtype="float32").disk == pytest.approx(2 * 269_060_552, rel=0.001)
    assert of(max_shard_size="50MB").memory < of().memory - 300e6
