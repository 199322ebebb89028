"""What attends through transformers' AttentionInterface is served as it is; what would go wrong in a batch is refused at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith.contracts import Placement, UserError
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_transformers.model.forward_pass import Chunk, Forward
from tunesmith_transformers.model.loader import load
from tunesmith_transformers.model.self_check import check

LAYERS = {"num_hidden_layers": 2, "initializer_range": 0.15}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": LAYERS,
    "mistral": LAYERS | {"sliding_window": 9},
    "qwen2": LAYERS,
    "qwen3": LAYERS,
    "gemma2": LAYERS | {"sliding_window": 9, "attn_logit_softcapping": 5.0, "query_pre_attn_scalar": 16},
    "gemma3_text": LAYERS | {"sliding_window": 9, "layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": 16},
    "gpt_oss": LAYERS
    | {"sliding_window": 9, "layer_types": ["sliding_attention", "full_attention"], "num_local_experts": 4, "num_experts_per_tok": 2},
    "phi3": LAYERS,
    "gpt_neox": LAYERS,
    "opt": LAYERS | {"word_embed_proj_dim": 64, "ffn_dim": 128},
    "qwen3_moe": LAYERS | {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32},
    "olmo2": LAYERS,
    "granite": LAYERS,
    "cohere": LAYERS,
}


def loaded(path: Path) -> Any:
    return load(path, "float32", Placement())


def read(forward: Forward, sequences: list[list[int]], parts: tuple[int, ...]) -> torch.Tensor:
    """Logits of all positions, sequences side by side: prompts in parts that end at `parts`, then token by token."""
    found: list[list[torch.Tensor]] = [[] for _ in sequences]
    rows, columns = len(sequences), len(sequences[0])
    start = 0
    with torch.inference_mode():
        for end in parts:
            chunks = [Chunk(row, start, ids[start:end], range(end - start)) for row, ids in enumerate(sequences)]
            for row, logits in enumerate(forward(chunks, 0, rows, columns).split(end - start)):
                found[row] += logits.clone()
            start = end
        for at in range(start, columns):
            chunks = [Chunk(row, at, [ids[at]], (0,)) for row, ids in enumerate(sequences)]
            for row, logits in enumerate(forward(chunks, rows, rows, columns)):
                found[row].append(logits.clone())
    return torch.stack([torch.stack(row) for row in found])


@pytest.mark.parametrize("family", FAMILIES)
def test_an_architecture_gives_batched_what_it_gives_alone(tmp_path: Path, family: str) -> None:
    """Prompts longer than the sliding windows, read whole, in parts and token by token."""
    model = loaded(tiny_model(tmp_path, family=family, **FAMILIES[family])).model
    generator = torch.Generator().manual_seed(1)
    sequences = torch.randint(5, 300, (3, 30), generator=generator).tolist()
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        want = torch.stack([model(torch.tensor([ids]), use_cache=False).logits[0] for ids in sequences]).log_softmax(-1)
    forward = Forward(model)
    check(model, forward)
    for parts in ((30,), (20,), (7, 8, 21), ()):
        forward.cache.clear()
        got = read(forward, sequences, parts).log_softmax(-1)
        assert (got - want).abs().max() < 1e-4, parts
    forward.close()


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("bloom", {"n_layer": 2, "n_head": 4}),  # attention of its own
        ("gptj", {"n_layer": 2, "n_head": 4, "n_embd": 64, "rotary_dim": 16}),  # attention of its own
        ("mamba", {"state_size": 4}),  # state that runs over the whole batch
        ("llama4_text", {"layer_types": ["chunked_attention", "full_attention"], "num_local_experts": 2, "intermediate_size_mlp": 64}),
    ],
)
def test_an_architecture_that_would_go_wrong_is_refused(tmp_path: Path, family: str, config: dict[str, Any]) -> None:
    path = tiny_model(tmp_path, family=family, **config)

    def start() -> None:
        model = loaded(path).model
        check(model, Forward(model))

    with pytest.raises(UserError) as raised:
        start()
    assert raised.value.code == "TS-SERVE-003"
    assert raised.value.why


def test_a_model_that_answers_differently_in_a_batch_is_refused(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a future architecture might: here every attention layer leaks from one sequence into the next."""
    from tunesmith_transformers.model.attention import FlatAttention

    real = FlatAttention.__call__

    def leaky(self: Any, *arguments: Any, **options: Any) -> Any:
        out, _ = real(self, *arguments, **options)
        return out + out.roll(1, dims=1), None

    monkeypatch.setattr(FlatAttention, "__call__", leaky)
    model = loaded(tiny).model
    with pytest.raises(UserError, match="TS-SERVE-003") as raised:
        check(model, Forward(model))
    assert "in a batch it does not answer as it does alone" in raised.value.why


@pytest.mark.parametrize("damage", ["nothing", "config", "weights", "architecture", "pickle"])
def test_a_directory_that_holds_no_loadable_model_is_a_users_error(tiny: Path, tmp_path: Path, damage: str) -> None:
    import shutil

    path = tmp_path / "model"
    shutil.copytree(tiny, path)
    if damage == "nothing":
        shutil.rmtree(path)
    elif damage == "config":
        (path / "config.json").write_text("{")
    elif damage == "weights":
        (path / "model.safetensors").write_bytes(b"\0" * 100)
    elif damage == "architecture":
        (path / "config.json").write_text('{"model_type": "no_such_thing"}')
    else:  # weights that run code when they are read
        (path / "model.safetensors").rename(path / "pytorch_model.bin")
    with pytest.raises(UserError) as raised:
        loaded(path)
    assert raised.value.code == ("TS-MODEL-008" if damage == "weights" else "TS-MODEL-020")
    assert raised.value.fix


def test_code_in_a_checkpoint_is_never_run(tiny: Path, tmp_path: Path) -> None:
    import json
    import shutil

    path = tmp_path / "model"
    shutil.copytree(tiny, path)
    config = json.loads((path / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (path / "config.json").write_text(json.dumps(config))
    (path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="TS-MODEL-023"):
        loaded(path)
    assert not (tmp_path / "ran").exists()
