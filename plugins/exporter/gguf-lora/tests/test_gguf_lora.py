"""What llama.cpp adds to a matrix is what PEFT adds, under llama.cpp's names and in its order of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_adapter import BASE, ROWS, write_adapter

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith_gguf_lora.estimate import estimate
from tunesmith_gguf_lora.exporter import FAMILIES, GgufLoraExporter
from tunesmith_gguf_lora.settings import GgufLoraSettings

gguf = pytest.importorskip("gguf", reason="the runtime of this plugin is not installed")
NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "mlp.up_proj": "ffn_up"}


@pytest.fixture
def export(local_step):
    def run(folder: Path, refs: dict[str, Artifact] | None = None, **settings: Any) -> Any:
        step = local_step()
        source = Artifact("adapter/peft", folder, refs=refs or {})
        GgufLoraExporter(GgufLoraSettings(**settings)).export(source, step.output, step)
        return gguf.GGUFReader(step.output / "adapter.gguf")

    return run


def added(reader: Any) -> dict[str, Any]:
    """Matrix -> what llama.cpp adds to it: (alpha / rank) B A."""
    tensors = {one.name: one.data for one in reader.tensors}
    alpha = reader.fields["adapter.lora.alpha"].contents()
    names = [name.removesuffix(".lora_a") for name in tensors if name.endswith(".lora_a")]
    return {name: alpha / len(tensors[f"{name}.lora_a"]) * tensors[f"{name}.lora_b"] @ tensors[f"{name}.lora_a"] for name in names}


def rows_of_llama_cpp(delta: Any, heads: int) -> Any:
    """By index: llama.cpp's row 2i of a head is the i-th of the first half, row 2i + 1 that of the second."""
    import numpy

    size = len(delta) // heads
    order = [head * size + half * size // 2 + i for head in range(heads) for i in range(size // 2) for half in (0, 1)]
    return numpy.asarray(delta)[order]


@pytest.mark.parametrize(
    ("said", "scale"),
    [
        ({}, {name: 2.0 for name in ROWS}),
        ({"use_rslora": True}, {name: 4.0 for name in ROWS}),
        ({"alpha_pattern": {"self_attn.k_proj": 16}}, {"self_attn.q_proj": 2.0, "self_attn.k_proj": 4.0, "mlp.up_proj": 2.0}),
    ],
    ids=["plain", "rslora", "alpha_pattern"],
)
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_same_is_added_to_the_same_rows(tmp_path: Path, export, said: dict, scale: dict, family: str):
    import numpy

    tensors = write_adapter(tmp_path, {**BASE, "model_type": family}, **said)
    reader = export(tmp_path)
    assert [reader.fields[key].contents() for key in ("general.type", "adapter.type", "general.architecture")] == [
        "adapter", "lora", FAMILIES[family][0],
    ]  # fmt: skip
    found = added(reader)
    assert sorted(found) == sorted(f"blk.0.{name}.weight" for name in NAMES.values())
    for module, name in NAMES.items():
        a, b = (tensors[f"base_model.model.model.layers.0.{module}.lora_{part}.weight"] for part in "AB")
        wanted = scale[module] * b @ a
        heads = {"self_attn.q_proj": 4, "self_attn.k_proj": 2}.get(module)
        if heads and FAMILIES[family][1]:
            wanted = rows_of_llama_cpp(wanted, heads)
        numpy.testing.assert_allclose(found[f"blk.0.{name}.weight"], wanted, rtol=1e-4, atol=1e-4)


def test_the_base_s_config_counts_where_the_artifact_has_it(tmp_path: Path, export):
    (tmp_path / "base").mkdir()
    (tmp_path / "adapter").mkdir()
    write_adapter(tmp_path / "base", {**BASE, "model_type": "qwen2"})
    write_adapter(tmp_path / "adapter")
    reader = export(tmp_path / "adapter", {"base": Artifact("model/hf", tmp_path / "base")})
    assert reader.fields["general.architecture"].contents() == "qwen2"


def test_halves_take_half_the_room(tmp_path: Path, export):
    write_adapter(tmp_path)
    sizes = [sum(one.n_bytes for one in export(tmp_path, outtype=type).tensors) for type in ("f32", "f16")]
    assert sizes[0] == 2 * sizes[1]


@pytest.mark.parametrize(
    ("base", "said", "reason"),
    [
        (None, {"peft_type": "VERA"}, "VERA"), (None, {"use_dora": True}, "use_dora"), (None, {"bias": "all"}, "biases"),
        (None, {"modules_to_save": ["lm_head"]}, "modules_to_save"), ({"model_type": "mamba"}, {}, "mamba"), ({}, {}, "beside the adapter"),
    ],
)  # fmt: skip
def test_what_llama_cpp_does_not_know_is_refused_before_anything_is_written(tmp_path: Path, local_step, base, said: dict, reason: str):
    write_adapter(tmp_path, base, **said)
    step = local_step()
    with pytest.raises(UserError, match="TS-EXPORT-004") as caught:
        GgufLoraExporter(GgufLoraSettings()).export(Artifact("adapter/peft", tmp_path), step.output, step)
    assert reason in caught.value.why
    assert not list(step.output.iterdir())


def test_tensors_that_are_no_a_and_b_are_refused(tmp_path: Path, export):
    import numpy
    from safetensors.numpy import save_file

    tensors = write_adapter(tmp_path)
    save_file({**tensors, "base_model.model.lm_head.weight": numpy.ones(2)}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(UserError, match="TS-EXPORT-004"):
        export(tmp_path)


def test_the_estimate_follows_the_type():
    assert [estimate(EstimateRequest({}, 1000, {"outtype": type})).disk for type in ("f32", "f16")] == [1000, 500]
