"""Changes of weights that compute the same, or the same within what a format loses."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from .adapter_faults import merge
from .behaviour import base_of
from .case import copy, harmless
from .model_files import Tensors, edited_json, edited_tensors, layer, read_tensors, write_tensors
from .parent_models import ALPHA, HEAD_DIM, HEADS, RANK
from .quantization import quantize


def cast(directory: Path, dtype: torch.dtype, name: str) -> None:
    with edited_tensors(directory) as tensors, edited_json(directory) as config:
        tensors.update({key: tensor.to(dtype) for key, tensor in tensors.items()})
        config["dtype"] = name


@harmless()
def bfloat16(parent: Path, child: Path) -> None:
    """Saved in bfloat16."""
    cast(copy(parent, child), torch.bfloat16, "bfloat16")


@harmless()
def float16_in_range(parent: Path, child: Path) -> None:
    """Saved in float16, where every number fits."""
    cast(copy(parent, child), torch.float16, "float16")


@harmless("wide")
def float32(parent: Path, child: Path) -> None:
    """Saved in float32 from bfloat16."""
    cast(copy(parent, child), torch.float32, "float32")


@harmless()
def norms_in_float32(parent: Path, child: Path) -> None:
    """Matrices in bfloat16, norms in float32: not everything has one dtype."""
    with edited_tensors(copy(parent, child)) as tensors:
        tensors.update({name: tensor.to(torch.bfloat16) for name, tensor in tensors.items() if tensor.dim() > 1})


@harmless(bits=8)
def eight_bits(parent: Path, child: Path) -> None:
    """Rounded to 8 bits in groups."""
    quantize(parent, child, 8)


@harmless("mixtral", bits=8)
def experts_in_eight_bits(parent: Path, child: Path) -> None:
    """Each expert rounded to 8 bits with scales of its own."""
    quantize(parent, child, 8)


@harmless("mixtral")
def experts_as_one_tensor(parent: Path, child: Path) -> None:
    """The experts of a layer are stored as one tensor, as transformers 5 has them in memory."""
    from transformers import AutoModelForCausalLM

    copy(parent, child)
    AutoModelForCausalLM.from_pretrained(parent).save_pretrained(child, save_original_format=False)
    assert any("experts.gate_up_proj" in name for name in read_tensors(child))


@harmless("mixtral")
def experts_and_router_reordered(parent: Path, child: Path) -> None:
    """The experts are in another order, and the router's rows with them."""
    with edited_tensors(copy(parent, child)) as tensors:
        before = dict(tensors)
        for name in before:
            head, found, tail = name.partition(".experts.")
            if found:
                number, _, rest = tail.partition(".")
                tensors[name] = before[f"{head}.experts.{(int(number) + 1) % 4}.{rest}"]
            elif name.endswith("block_sparse_moe.gate.weight"):
                tensors[name] = before[name].roll(-1, 0)


@harmless()
def channels_reordered(parent: Path, child: Path) -> None:
    """The channels between gate, up and down projection are in another order, the same in all three."""
    with edited_tensors(copy(parent, child)) as tensors:
        order = torch.randperm(128, generator=torch.Generator().manual_seed(4))
        for name in ("mlp.gate_proj", "mlp.up_proj"):
            tensors[layer(0, name)] = tensors[layer(0, name)][order]
        tensors[layer(0, "mlp.down_proj")] = tensors[layer(0, "mlp.down_proj")][:, order]


@harmless("all_heads")
def heads_reordered(parent: Path, child: Path) -> None:
    """The heads are in another order, the same in all four projections."""
    with edited_tensors(copy(parent, child)) as tensors:
        rows = torch.arange(HEADS * HEAD_DIM).view(HEADS, HEAD_DIM)[[2, 0, 3, 1]].flatten()
        for name in ("q_proj", "k_proj", "v_proj"):
            tensors[layer(1, f"self_attn.{name}")] = tensors[layer(1, f"self_attn.{name}")][rows]
        tensors[layer(1, "self_attn.o_proj")] = tensors[layer(1, "self_attn.o_proj")][:, rows]


@harmless()
def norms_folded(parent: Path, child: Path) -> None:
    """What a norm scales by is in the projections that follow it, as quantizers move it."""
    with edited_tensors(copy(parent, child)) as tensors:
        for number in (0, 1):
            _fold(tensors, layer(number, "input_layernorm"), [layer(number, f"self_attn.{name}_proj") for name in "qkv"])


@harmless("lora")
def merged_adapter(parent: Path, child: Path) -> None:
    """An adapter merged into its base."""
    merge(parent, child)


@harmless("lora")
def merged_adapter_in_bfloat16(parent: Path, child: Path) -> None:
    """An adapter merged, and saved in bfloat16."""
    merge(parent, child)
    cast(child, torch.bfloat16, "bfloat16")


@harmless("lora_and_head")
def merged_adapter_with_its_head(parent: Path, child: Path) -> None:
    """An adapter scaled by alpha / sqrt(r) merged, with the head that was trained as a whole."""
    merge(parent, child, scale=ALPHA / math.sqrt(RANK))


@harmless("lora")
def merged_by_peft(parent: Path, child: Path) -> None:
    """The same, by PEFT itself."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = base_of(parent)
    assert base is not None
    copy(base, child)
    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), parent).merge_and_unload().save_pretrained(child)


@harmless("lora")
def scale_moved_into_the_factors(parent: Path, child: Path) -> None:
    """Alpha is the rank's, and B has the scale: the update is the same."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child, "adapter_config.json") as config:
        config["lora_alpha"] = RANK
        for name, tensor in tensors.items():
            if "lora_B" in name:
                tensor *= ALPHA / RANK


@harmless("lora")
def rank_padded(parent: Path, child: Path) -> None:
    """The rank is twice as great, with zeros, and alpha with it, as engines pad adapters: half of each B is zero."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child, "adapter_config.json") as config:
        config.update(r=2 * RANK, lora_alpha=2 * ALPHA)
        for name, tensor in tensors.items():
            tensors[name] = torch.cat([tensor, torch.zeros_like(tensor)], 0 if "lora_A" in name else 1)


@harmless("lora")
def adapter_in_bfloat16(parent: Path, child: Path) -> None:
    """The adapter's factors in bfloat16."""
    tensors = read_tensors(copy(parent, child))
    write_tensors(child, {name: tensor.to(torch.bfloat16) for name, tensor in tensors.items()})


def _fold(tensors: Tensors, norm: str, followers: list[str]) -> None:
    for name in followers:
        tensors[name] = tensors[name] * tensors[norm]
    tensors[norm] = torch.ones_like(tensors[norm])
