"""What a converted model expects after each token, by OpenVINO itself, token by token as it generates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith_openvino.conversion import MODEL


def log_probs(directory: Path, ids: Sequence[Sequence[int]]) -> list[Any]:
    """Of each sequence a tensor of (tokens, vocabulary) in float32.

    Args:
        ids: sequences of tokens, none longer than the model's context.
    """
    import numpy
    import openvino
    import torch

    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(Path(directory) / MODEL), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}
    )
    request, found = compiled.create_infer_request(), []
    names = {name for port in compiled.inputs for name in port.names}
    for row in ids:
        request.reset_state()
        said = []
        for at, token in enumerate(row):
            given = {"input_ids": [[token]], "attention_mask": [[1] * (at + 1)], "position_ids": [[at]]}
            inputs = {name: numpy.array(value, dtype=numpy.int64) for name, value in given.items() if name in names}
            if "beam_idx" in names:
                inputs["beam_idx"] = numpy.zeros(1, dtype=numpy.int32)
            logits = request.infer(inputs)[compiled.output("logits")]
            said.append(torch.tensor(numpy.array(logits, dtype=numpy.float32).reshape(-1)).log_softmax(-1))
        found.append(torch.stack(said))
    return found
