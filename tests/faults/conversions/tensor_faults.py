"""Faults in the weights of a model that was saved, resharded or converted."""

from __future__ import annotations

from pathlib import Path

import torch

from .case import copy, fault
from .model_files import edited_json, edited_tensors, layer, read_tensors, write_tensors
from .parent_models import HEAD_DIM, HEADS


@fault("llama", "outputs", "audit", thread="axolotl#3772")
def zeroed_layer(parent: Path, child: Path) -> None:
    """One projection is all zeros."""
    with edited_tensors(copy(parent, child)) as tensors:
        tensors[layer(1, "mlp.down_proj")].zero_()


@fault("llama", "outputs", "gate", thread="axolotl#3772")
def zeroed_shards(parent: Path, child: Path) -> None:
    """Only one of eight ranks' rows of each projection was saved, the others are zeros."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name, tensor in tensors.items():
            if "proj" in name:
                tensor[len(tensor) // 8 :] = 0


@fault("all_heads", "outputs", "gate")
def swapped_query_and_key(parent: Path, child: Path) -> None:
    """The projections of queries and keys changed places."""
    _swap(parent, child, "self_attn.q_proj", "self_attn.k_proj")


@fault("llama", "outputs", "gate")
def swapped_key_and_value(parent: Path, child: Path) -> None:
    """The projections of keys and values changed places, as when a fused matrix is cut in another order."""
    _swap(parent, child, "self_attn.k_proj", "self_attn.v_proj")


@fault("llama", "outputs", "gate")
def swapped_gate_and_up(parent: Path, child: Path) -> None:
    """The two halves of a fused gate_up projection changed places."""
    _swap(parent, child, "mlp.gate_proj", "mlp.up_proj")


@fault("llama", "outputs", "gate")
def transposed_projection(parent: Path, child: Path) -> None:
    """A square matrix is stored transposed."""
    with edited_tensors(copy(parent, child)) as tensors:
        for number in (0, 1):
            name = layer(number, "self_attn.o_proj")
            tensors[name] = tensors[name].T


@fault("qwen2", "outputs", "audit")
def lost_bias(parent: Path, child: Path) -> None:
    """The biases of attention are not in the file: a loader that goes on without them takes zeros."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name in [name for name in tensors if name.endswith("bias")]:
            del tensors[name]


@fault("qwen2", "outputs", "audit")
def zeroed_bias(parent: Path, child: Path) -> None:
    """The biases of attention are in the file as zeros."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name, tensor in tensors.items():
            if name.endswith("bias"):
                tensor.zero_()


@fault("llama", "outputs", "gate")
def norms_with_one_more(parent: Path, child: Path) -> None:
    """Norms were converted as Gemma's, which store their distance from one: each is one too large."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name, tensor in tensors.items():
            if "norm" in name:
                tensor += 1


@fault("gemma2", "outputs", "gate")
def norms_with_one_more_in_gemma(parent: Path, child: Path) -> None:
    """A way back from GGUF, where Gemma's norms are stored with one added, that did not take it off."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name, tensor in tensors.items():
            if "norm" in name:
                tensor += 1


@fault("llama", "outputs", "gate")
def rotary_halves_interleaved(parent: Path, child: Path) -> None:
    """Rows of queries and keys are in the order in which llama.cpp rotates them, pair by pair, in a layout that rotates by halves."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name, tensor in tensors.items():
            if "q_proj" in name or "k_proj" in name:
                heads = tensor.view(-1, 2, HEAD_DIM // 2, tensor.shape[1])
                tensors[name] = heads.swapaxes(1, 2).reshape(tensor.shape)


@fault("llama", "outputs", "gate")
def permuted_heads(parent: Path, child: Path) -> None:
    """The heads of the queries are in another order than those of the output."""
    with edited_tensors(copy(parent, child)) as tensors:
        for number in (0, 1):
            name = layer(number, "self_attn.q_proj")
            heads = tensors[name].view(HEADS, HEAD_DIM, -1)
            tensors[name] = heads[[2, 3, 0, 1]].reshape(tensors[name].shape)


@fault("llama", "outputs", "audit")
def vocabulary_cut(parent: Path, child: Path) -> None:
    """Embedding and head lost their last rows, which the tokenizer still uses."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child) as config:
        config["vocab_size"] = 256
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            tensors[name] = tensors[name][:256]


@fault("llama", "outputs", "gate")
def embedding_shifted(parent: Path, child: Path) -> None:
    """Rows of the embedding stand one further than their tokens."""
    with edited_tensors(copy(parent, child)) as tensors:
        tensors["model.embed_tokens.weight"] = tensors["model.embed_tokens.weight"].roll(1, 0)


@fault("qwen2", "outputs", "gate")
def stale_head(parent: Path, child: Path) -> None:
    """Tied weights were untied, with a head from before the training."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child) as config:
        before = torch.Generator().manual_seed(3)
        embedding = tensors["model.embed_tokens.weight"]
        tensors["lm_head.weight"] = embedding + 0.2 * torch.randn(embedding.shape, generator=before)
        config["tie_word_embeddings"] = False


@fault("llama", "outputs", "gate")
def head_dropped_as_tied(parent: Path, child: Path) -> None:
    """The config calls the head tied though the model has one of its own, which was not saved."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child) as config:
        del tensors["lm_head.weight"]
        config["tie_word_embeddings"] = True


@fault("mixtral", "numbers", "audit")
def not_a_number_in_one_expert(parent: Path, child: Path) -> None:
    """One number of one expert, which few tokens ask, is NaN."""
    with edited_tensors(copy(parent, child)) as tensors:
        tensors["model.layers.1.block_sparse_moe.experts.2.w2.weight"][5, 7] = float("nan")


@fault("mixtral", "outputs", "gate", thread="llm-compressor#2939")
def experts_reordered(parent: Path, child: Path) -> None:
    """The experts are in another order than the router's rows."""
    with edited_tensors(copy(parent, child)) as tensors:
        before = dict(tensors)
        for name in before:
            head, found, tail = name.partition(".experts.")
            if found:
                number, _, rest = tail.partition(".")
                tensors[name] = before[f"{head}.experts.{(int(number) + 1) % 4}.{rest}"]


@fault("wide", "numbers", "audit")
def overflow_in_float16(parent: Path, child: Path) -> None:
    """What is too great for float16 became infinite."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child) as config:
        tensors.update({name: tensor.to(torch.float16) for name, tensor in tensors.items()})
        config["dtype"] = "float16"


@fault("llama", "outputs", "gate")
def bytes_of_another_dtype(parent: Path, child: Path) -> None:
    """The bytes of bfloat16 are declared as float16."""
    with edited_tensors(copy(parent, child)) as tensors:
        name = layer(0, "self_attn.v_proj")
        tensors[name] = tensors[name].to(torch.bfloat16).view(torch.float16)


@fault("llama", "outputs", "gate")
def layers_reordered(parent: Path, child: Path) -> None:
    """Two layers changed places, as when their names are sorted as words."""
    tensors = read_tensors(copy(parent, child))
    other = {
        name: name.replace("layers.0.", "layers.1.") if "layers.0." in name else name.replace("layers.1.", "layers.0.") for name in tensors
    }
    write_tensors(child, {other[name]: tensor for name, tensor in tensors.items()})


@fault("llama", "outputs", "gate")
def layer_saved_twice(parent: Path, child: Path) -> None:
    """The second layer is a copy of the first."""
    with edited_tensors(copy(parent, child)) as tensors:
        for name in [name for name in tensors if "layers.0." in name]:
            tensors[name.replace("layers.0.", "layers.1.")] = tensors[name]


@fault("llama", "outputs", "audit", thread="ms-swift#9504")
def last_layer_missing(parent: Path, child: Path) -> None:
    """The tensors of the last layer are not there, and its config counts one layer less."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child) as config:
        for name in [name for name in tensors if "layers.1." in name]:
            del tensors[name]
        config["num_hidden_layers"] = 1


def _swap(parent: Path, child: Path, one: str, other: str) -> None:
    with edited_tensors(copy(parent, child)) as tensors:
        for number in (0, 1):
            first, second = layer(number, one), layer(number, other)
            tensors[first], tensors[second] = tensors[second], tensors[first]
