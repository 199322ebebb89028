"""Weights move to Megatron's layout and back bit for bit, for every family, every rank. That they compute the same: tests/strategies."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import torch
from safetensors.torch import load_file

from tunesmith.contracts import UserError
from tunesmith_megatron.architecture import Architecture, architecture_of
from tunesmith_megatron.checkpoint_files import CheckpointFiles
from tunesmith_megatron.layout import made_of, names_in, view_of

FAMILIES = {
    "llama": {}, "qwen2": {"tie_word_embeddings": True}, "qwen3": {"head_dim": 32},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "mlp_only_layers": [1]},
}  # fmt: skip


def parameters(shape: Architecture, layers: range, experts: range, *, first: bool, last: bool) -> Iterator[str]:
    """Names of a stage's parameters, as megatron-core 0.16 gives them."""
    if first:
        yield "embedding.word_embeddings.weight"
    for number, layer in enumerate(layers):
        prefix = f"decoder.layers.{number}."
        yield from (prefix + name for name in ("input_layernorm.weight", "pre_mlp_layernorm.weight"))
        attention = ["linear_qkv.weight", "linear_proj.weight"] + ["linear_qkv.bias"] * shape.qkv_bias
        attention += ["q_layernorm.weight", "k_layernorm.weight"] * shape.qk_norm
        yield from (f"{prefix}self_attention.{name}" for name in attention)
        if not shape.expert_layers[layer]:
            yield from (f"{prefix}mlp.linear_fc{one}.weight" for one in (1, 2))
            continue
        yield f"{prefix}mlp.router.weight"
        yield from (f"{prefix}mlp.experts.local_experts.{n}.linear_fc{one}.weight" for n in range(len(experts)) for one in (1, 2))
    if last:
        yield "decoder.final_layernorm.weight"
        if not (first and shape.tied):
            yield "output_layer.weight"


def stages(shape: Architecture, count: int, expert_ranks: int) -> Iterator[dict]:
    """What each stage and each rank of its experts has: its parameters, and what says which of the model's they are."""
    for stage in range(count):
        layers = range(stage * shape.layers // count, (stage + 1) * shape.layers // count)
        for rank in range(expert_ranks):
            experts = range(rank * shape.experts // expert_ranks, (rank + 1) * shape.experts // expert_ranks)
            names = parameters(shape, layers, experts, first=stage == 0, last=stage == count - 1)
            yield {"names": list(names), "first_layer": layers.start, "first_expert": experts.start}


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory):
    from tunesmith_sdk.tiny_models import tiny_model

    made = tiny_model(tmp_path_factory.mktemp(request.param), family=request.param, num_hidden_layers=4, **FAMILIES[request.param])
    return made, architecture_of(json.loads((made / "config.json").read_text()))


@pytest.mark.parametrize(("tensor", "pipeline", "expert"), [(1, 1, 1), (2, 1, 1), (2, 4, 1), (1, 2, 2)])
def test_every_tensor_comes_back_bit_for_bit_from_the_ranks_that_divide_it(model, tensor, pipeline, expert):
    path, shape = model
    files, stored = CheckpointFiles(path), load_file(path / "model.safetensors")
    if expert > 1 and not shape.experts:
        pytest.skip("it has no experts")
    back: dict[str, list[torch.Tensor]] = {}
    for stage in stages(shape, pipeline, expert):
        for name in stage.pop("names"):
            made = made_of(name, shape, **stage)
            for rank in range(tensor):
                pieces = [files.piece(one, made.dim, rank, tensor) for one in made.names]
                parameter = made.join(pieces)
                assert parameter.numel() == sum(piece.numel() for piece in pieces)
                for one, piece in zip(made.names, made.split(parameter), strict=True):
                    back.setdefault(one, [])
                    if made.dim is not None or rank == 0:
                        back[one].append(piece)
            for one in made.names:
                whole = back[one][0] if made.dim is None else torch.cat(back[one][-tensor:], made.dim)
                assert torch.equal(whole, stored[one]), one
    assert back.keys() == stored.keys()


def test_queries_keys_and_values_take_turns_by_group_of_heads():
    shape = Architecture("llama", 1, 8, 4, 2, 2, 8, 8, 8, 1e-6, False, False, False, expert_layers=(False,))
    q, k, v = (torch.arange(rows)[:, None] + base for rows, base in ((8, 0), (4, 100), (4, 200)))
    joined = made_of("decoder.layers.0.self_attention.linear_qkv.weight", shape).join((q, k, v))[:, 0].tolist()
    assert joined == [0, 1, 2, 3, 100, 101, 200, 201, 4, 5, 6, 7, 102, 103, 202, 203]


def test_every_tensor_of_the_files_has_its_place_in_transformers_model(model):
    from transformers import AutoModelForCausalLM

    path, _ = model
    stored, values = load_file(path / "model.safetensors"), dict(AutoModelForCausalLM.from_pretrained(path).named_parameters())
    assert sorted(part for name, value in values.items() for part in names_in(name, value.shape)) == sorted(stored)
    for name, value in stored.items():
        assert torch.equal(view_of(values, name), value), name


def test_a_parameter_that_nobody_knows_is_not_guessed(model):
    with pytest.raises(KeyError):
        made_of("decoder.layers.0.mlp.shared_experts.linear_fc1.weight", model[1])


def test_a_tensor_that_is_missing_or_broken_is_named(model, tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.tensor([1.0, float("nan")])}, tmp_path / "model.safetensors")
    files = CheckpointFiles(tmp_path)
    for name in ("a", "b"):
        with pytest.raises(UserError, match=f"TS-TRAIN-083.*`{name}`"):
            files.piece(name, None, 0, 1)
