"""Weights in another layout or out of their 4 bits answer as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith_transformers.model import dequantized_linear
from tunesmith_transformers.model.dequantized_linear import dequantize, free_memory
from tunesmith_transformers.model.packed_linear import PackedLinear, can_pack, pack

IDS = torch.tensor([[5, 17, 200, 3, 99, 42, 7]])


def model(path: Path, **options: Any) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(path, **{"dtype": torch.bfloat16, **options}).eval().requires_grad_(False)


def moved(one: torch.Tensor, other: torch.Tensor) -> float:
    """The share of the probability that is elsewhere."""
    return (one.float().softmax(-1) - other.float().softmax(-1)).abs().sum(-1).mean().item() / 2


def test_packed_weights_give_the_same_probabilities(tiny: Path) -> None:
    plain, packed = model(tiny), model(tiny)
    if not can_pack(packed):
        pytest.skip("this processor does not multiply bfloat16 natively")
    layers = sum(type(layer) is torch.nn.Linear for layer in plain.modules())
    tied = plain.lm_head.weight.data_ptr() == plain.get_input_embeddings().weight.data_ptr()
    assert pack(packed) == layers - tied
    own = packed.model.layers[0].self_attn.q_proj
    assert isinstance(own, PackedLinear)
    assert torch.equal(own.weight, plain.model.layers[0].self_attn.q_proj.weight)
    for ids in (IDS, IDS[:, :1], IDS.repeat(9, 1)):
        assert moved(plain(ids).logits, packed(ids).logits) < 0.03
    assert pack(packed) == 0


def test_what_gains_nothing_is_not_packed(tiny: Path) -> None:
    assert pack(model(tiny, dtype=torch.float32)) == 0


def test_a_layer_that_would_answer_otherwise_stays(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = model(tiny)
    if not can_pack(found):
        pytest.skip("this processor does not multiply bfloat16 natively")
    real = PackedLinear.forward
    monkeypatch.setattr(PackedLinear, "forward", lambda self, input: real(self, input) * 1.5)
    assert pack(found) == 0
    assert not any(isinstance(layer, PackedLinear) for layer in found.modules())


@pytest.fixture
def small(tiny: Path) -> Any:
    """``small()``: the tiny model in 4 bits; a new one each time, for the first forward pass lays the weights out anew."""
    pytest.importorskip("bitsandbytes", reason="the extra `bnb` is not installed")
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    return lambda: model(tiny, quantization_config=config, device_map="cpu")


def test_dequantized_weights_give_the_same_probabilities(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dequantized_linear, "free_memory", lambda: 2**40)
    plain = small()
    count, why = dequantize(plain, 0)
    assert count == len(plain.model.layers) * 7
    assert "GiB" in why
    assert all(type(layer) is torch.nn.Linear for layer in plain.model.layers[0].mlp.children() if hasattr(layer, "weight"))
    assert moved(small()(IDS).logits, plain(IDS).logits) < 0.03
    assert dequantize(plain, 0) == (0, "")


@pytest.mark.parametrize("free", [-1, 1000])
def test_where_memory_is_short_or_unknown_4_bits_stay(small: Any, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(dequantized_linear, "free_memory", lambda: free)
    count, why = dequantize(small(), 2**30)
    assert count == 0
    assert ("not known" in why) == (free < 0)


def test_free_memory_is_that_of_the_narrowest_control_group(tmp_path: Path) -> None:
    assert free_memory(tmp_path) == -1
    group = tmp_path / "sys/fs/cgroup/jobs/mine"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 8000 kB\nMemAvailable: 4000 kB\n")
    (tmp_path / "proc/self/cgroup").write_text("0::/jobs/mine\n")
    assert free_memory(tmp_path) == 4000 * 1024
    (group / "memory.max").write_text("max\n")
    (group.parent / "memory.max").write_text("3000000\n")
    (group.parent / "memory.current").write_text("1000000\n")
    assert free_memory(tmp_path) == 2000000
