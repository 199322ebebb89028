"""What an exported model expects after each token, by ONNX Runtime itself, token by token as it generates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

BITS = {"float32": 32, "int8": 8, "int4": 4}


def log_probs(directory: Path, ids: Sequence[Sequence[int]]) -> list[Any]:
    """Of each sequence a tensor of (tokens, vocabulary) in float32.

    Args:
        ids: sequences of tokens, none longer than the model's context.
    """
    import numpy
    import onnxruntime_genai
    import torch

    model, found = onnxruntime_genai.Model(str(directory)), []
    for row in ids:
        parameters = onnxruntime_genai.GeneratorParams(model)
        parameters.set_search_options(max_length=len(row) + 1, do_sample=False)
        generator, said = onnxruntime_genai.Generator(model, parameters), []
        for token in row:
            generator.append_tokens(numpy.array([[token]], dtype=numpy.int32))
            said.append(torch.tensor(numpy.array(generator.get_logits(), dtype=numpy.float32).reshape(-1)).log_softmax(-1))
        found.append(torch.stack(said))
    return found
