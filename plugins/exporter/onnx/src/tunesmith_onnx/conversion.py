"""``python -m tunesmith_onnx.conversion MODEL FOLDER OPSET``: a causal language model as an ONNX graph, by PyTorch's exporter.

Inputs and outputs have the names that Optimum gives them and transformers.js asks for: ``input_ids``, ``attention_mask``, ``position_ids``,
``past_key_values.N.key`` and ``.value``; ``logits``, ``present.N.key`` and ``.value``.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

FOLDER, FILE, WEIGHTS = "onnx", "model.onnx", "model.onnx_data"  # where transformers.js and Optimum look
STAGES = ("read", "traced", "written")
_SIZES = (2, 3, 5)  # sequences, tokens, tokens before: of the example; each another number, so that none is taken for another


def convert(directory: Path, folder: Path, opset: int) -> None:
    """
    Raises:
        ValueError: the model keeps something else than the keys and values of every token.
    """
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager", local_files_only=True, trust_remote_code=False
    ).eval()
    shapes = cache_shapes(model)
    print("read", flush=True)
    names = [f"{index}.{part}" for index in range(len(shapes)) for part in ("key", "value")]
    program = torch.onnx.export(
        _decoder(model), _example(model.config, shapes), dynamo=True, opset_version=opset, dynamic_shapes=_dynamic(len(shapes)),
        input_names=["input_ids", "attention_mask", "position_ids", *(f"past_key_values.{name}" for name in names)],
        output_names=["logits", *(f"present.{name}" for name in names)], verbose=False,
    )  # fmt: skip
    print("traced", flush=True)
    forget(program.model)
    _write(program.model, folder)
    print("written", flush=True)


def cache_shapes(model: Any) -> list[tuple[Any, Any]]:
    """Of each layer (heads, size) of its keys and of its values, as a token leaves them.

    Raises:
        ValueError: as `convert`.
    """
    import torch
    from transformers.cache_utils import DynamicLayer

    with torch.no_grad():
        layers = model(input_ids=torch.zeros(1, 1, dtype=torch.long), use_cache=True).past_key_values.layers
    if odd := sorted({type(layer).__name__ for layer in layers if not isinstance(layer, DynamicLayer)}):
        raise ValueError(f"it keeps more than keys and values of tokens: {', '.join(odd)}")
    return [tuple((one.shape[1], one.shape[3]) for one in (layer.keys, layer.values)) for layer in layers]


def _decoder(model: Any) -> Any:
    """What is traced: tokens with what was kept of those before them, to logits with what is kept of all."""
    import torch
    from transformers import DynamicCache

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any, past: Any) -> tuple[Any, ...]:
            said = self.model(
                input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, past_key_values=DynamicCache(list(past)),
                use_cache=True,
            )  # fmt: skip
            return said.logits, *(one for layer in said.past_key_values.layers for one in (layer.keys, layer.values))

    return Decoder()


def _example(config: Any, shapes: list[tuple[Any, Any]]) -> tuple[Any, ...]:
    import torch

    batch, tokens, before = _SIZES
    ids = torch.arange(batch * tokens).reshape(batch, tokens) % config.get_text_config().vocab_size
    positions = torch.arange(before, before + tokens).expand(batch, tokens)
    past = tuple(tuple(torch.zeros(batch, heads, before, size) for heads, size in layer) for layer in shapes)
    return ids, torch.ones(batch, before + tokens, dtype=torch.long), positions, past


def _dynamic(layers: int) -> dict[str, Any]:
    tokens, kept = {0: "batch_size", 1: "sequence_length"}, {0: "batch_size", 2: "past_sequence_length"}
    return {
        "input_ids": tokens, "attention_mask": {0: "batch_size", 1: "total_sequence_length"}, "position_ids": tokens,
        "past": ((kept, kept),) * layers,
    }  # fmt: skip


def forget(model: Any) -> None:
    """Take out what the exporter notes of the machine: where the traced code lay, line by line."""
    for graph in (model.graph, *(function.graph for function in model.functions.values())):
        for node in graph.all_nodes():
            node.metadata_props.clear()
            node.doc_string = None


def _write(model: Any, folder: Path) -> None:
    import onnx_ir

    onnx_ir.save(model, folder / FILE, external_data=WEIGHTS)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what tracing remarks about names of axes
    convert(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
