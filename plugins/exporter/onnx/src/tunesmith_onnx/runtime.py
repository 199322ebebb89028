"""What an exported model expects after each token, by ONNX Runtime, as it generates: a prompt at once, then token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tunesmith_onnx.conversion import FILE, FOLDER

PAST = "past_key_values."
PROMPT = 8  # tokens that are read at once


def log_probs(directory: Path, ids: Sequence[Sequence[int]]) -> list[Any]:
    """Of each sequence a tensor of (tokens, vocabulary) in float32.

    Args:
        ids: sequences of tokens, none longer than the model's context.
    """
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(Path(directory) / FOLDER / FILE, providers=["CPUExecutionProvider"])
    return [torch.tensor(logits).log_softmax(-1) for logits in (_generated(session, row) for row in ids)]


def _generated(session: Any, row: Sequence[int]) -> Any:
    """Logits after each token: (tokens, vocabulary)."""
    import numpy

    inputs = {one.name: one.shape for one in session.get_inputs()}
    # of a shape, sequences and tokens are names; heads and their size are numbers
    kept = {name: numpy.zeros((1, shape[1], 0, shape[3]), numpy.float32) for name, shape in inputs.items() if name.startswith(PAST)}
    said = []
    for first, last in _pieces(len(row)):
        given = {
            "input_ids": [list(row[first:last])], "attention_mask": [[1] * last], "position_ids": [list(range(first, last))],
        }  # fmt: skip
        tokens = {name: numpy.array(value, numpy.int64) for name, value in given.items() if name in inputs}
        logits, *present = session.run(None, {**tokens, **kept})
        kept = dict(zip(kept, present, strict=True))
        said.append(logits[0])
    return numpy.concatenate(said)


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    prompt = min(PROMPT, length)
    yield 0, prompt
    yield from ((at, at + 1) for at in range(prompt, length))
