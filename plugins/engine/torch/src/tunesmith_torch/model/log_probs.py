"""Log-probabilities at labels, without ever holding the whole vocabulary's logits.

A row of logits has as many numbers as the vocabulary has tokens; keeping them for every label of a batch is what usually fills the memory.
Here they exist for a chunk of labels at a time. With ``z = W h`` and ``p = softmax(z)``

    log p_y = z_y - logsumexp(z)           d log p_y / d h = W^T (e_y - p)

each label's gradient is one known vector times the number that comes down in the backward pass. So where the head is frozen the vector
is computed with the value, in the same chunk, and nothing is computed twice (`frozen_head`). A head that trains, or has an adapter on it,
also needs d/dW, which can't be prepared: most of its chunks are computed again in the backward pass (`trained_head`, where the head is a
matrix). So are those of outputs that are more than one number a label with a gradient.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from tunesmith_torch.data.packing import Packed, Wanted
from tunesmith_torch.model.architecture import Architecture, architecture, check_head, head_logits, states
from tunesmith_torch.model.head_log_probs import frozen_head, trained_head

CHUNK_BYTES = 31 * 2**20  # of float32 logits at a time: few enough for caches, and for `heap` to keep the block
#: names of outputs at labels; those of heads are ``heads/<name>``
LOG_PROBS, ENTROPY, CANDIDATES, TOP_IDS, TOP_LOG_PROBS = "log_probs", "entropy", "candidates", "top/ids", "top/log_probs"
LOG_SUM_SQ = "log_sum_sq"
FEWEST = 128  # labels at a time, however large the vocabulary: the head's matrix is read anew for each chunk


def label_log_probs(model: Any, batch: Packed, *, rows: int = 0) -> torch.Tensor:
    """(labels,) float32: log p of every label of `batch`, given what comes before it in its sequence.

    Args:
        model: a causal language model; a transformers one's attention is set to the packed one at the first call.
        batch: on the model's device.
        rows: labels at a time; 0 for as many as suit the vocabulary.
    """
    found = architecture(model)
    return label_outputs(model, states(model, batch, found)[: len(batch.predictors)], batch, found, rows=rows)[LOG_PROBS]


def label_outputs(model: Any, hidden: torch.Tensor, batch: Packed, found: Architecture, *, rows: int = 0) -> dict[str, torch.Tensor]:
    """What ``batch.wanted`` asks for at labels, by name; log-probabilities in any case.

    Args:
        hidden: (labels, hidden) the states that predict them.
    """
    check_head(model, found)
    head, wanted = model.get_output_embeddings(), batch.wanted
    rows = rows or max(FEWEST, CHUNK_BYTES // (4 * model.config.get_text_config().vocab_size))
    bent = found.softcap and wanted.temperature != 1.0  # the cap comes before the temperature, which scaling the head's input can't do
    if type(head) is torch.nn.Linear and batch.candidates is None and not wanted.top and wanted.entropy != "gradient" and not bent:
        trains = head.weight.requires_grad and torch.is_grad_enabled()
        compute = trained_head if trains else frozen_head
        values, entropy, log_sum_sq = compute(
            hidden, head.weight, head.bias, batch.targets, rows, found.scale / wanted.temperature, found.softcap,
            bool(wanted.entropy), wanted.log_sum_sq
        )  # fmt: skip
        told = {LOG_PROBS: values, ENTROPY: entropy, LOG_SUM_SQ: log_sum_sq}
        return {name: value for name, value in told.items() if value is not None}
    none = [None] * max(1, -(-len(hidden) // rows))
    candidates = batch.candidates.split(rows) if batch.candidates is not None else none
    pieces = [
        _recomputed(model, h, t, c, found, wanted)
        for h, t, c in zip(hidden.split(rows), batch.targets.split(rows), candidates, strict=True)
    ]
    return {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}


def _recomputed(
    model: Any, hidden: torch.Tensor, targets: torch.Tensor, candidates: torch.Tensor | None, found: Architecture, wanted: Wanted
) -> dict[str, torch.Tensor]:  # fmt: skip
    def outputs(hidden: torch.Tensor) -> dict[str, torch.Tensor]:
        logs = torch.log_softmax(head_logits(model, hidden, found) / wanted.temperature, dim=1)
        given = {LOG_PROBS: logs.gather(1, targets[:, None]).squeeze(1)}
        if wanted.entropy:
            entropy = -(logs.exp() * logs).sum(1)
            given[ENTROPY] = entropy if wanted.entropy == "gradient" else entropy.detach()
        if wanted.log_sum_sq:
            given[LOG_SUM_SQ] = torch.logsumexp(2 * logs.detach(), dim=1)
        if candidates is not None:
            given[CANDIDATES] = logs.gather(1, candidates)
        if wanted.top:
            top = logs.topk(min(wanted.top, logs.shape[1]), dim=1)
            given |= {TOP_IDS: top.indices, TOP_LOG_PROBS: top.values}
        return given

    if not torch.is_grad_enabled():
        return outputs(hidden)
    return checkpoint(outputs, hidden, use_reentrant=False)
