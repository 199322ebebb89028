"""Megatron's model on packed rows: hidden states between stages, log-probabilities of trained tokens from the last."""

from __future__ import annotations

from typing import Any

import torch
from megatron.core import parallel_state
from megatron.core.models.gpt import GPTModel
from megatron.core.tensor_parallel import (
    gather_from_sequence_parallel_region,
    reduce_from_tensor_model_parallel_region,
    vocab_parallel_cross_entropy,
)
from torch.utils.checkpoint import checkpoint

from tunesmith_megatron.architecture import Architecture
from tunesmith_megatron.attention import Sequences
from tunesmith_megatron.row_part import RowPart
from tunesmith_megatron.settings import MegatronSettings
from tunesmith_megatron.transformer_config import config_of, layers_of
from tunesmith_torch.api.model import Packed

CHUNK_BYTES = 31 * 2**20  # of float32 logits at a time
FEWEST = 128  # labels at a time, however large the vocabulary


class CausalLM(GPTModel):
    """This rank's part of the model, without values.

    Args:
        frequencies: of the rotary embedding, as transformers computes them.
    """

    def __init__(
        self, shape: Architecture, settings: MegatronSettings, compute: torch.dtype, frequencies: torch.Tensor, *, recompute: bool
    ) -> None:
        stages, stage = settings.pipeline_model_parallel_size, parallel_state.get_pipeline_model_parallel_rank()
        count = shape.layers // stages
        super().__init__(
            config_of(shape, settings, compute, recompute=recompute), layers_of(shape, stage * count, count),
            vocab_size=shape.vocabulary, max_sequence_length=shape.positions, pre_process=stage == 0, post_process=stage == stages - 1,
            position_embedding_type="rope", share_embeddings_and_output_weights=shape.tied,
        )  # fmt: skip
        self.first_layer = stage * count
        self.first_expert = shape.experts // settings.expert_model_parallel_size * parallel_state.get_expert_model_parallel_rank()
        self.rotary_pos_emb.inv_freq = frequencies
        self._rows = max(FEWEST, CHUNK_BYTES * settings.tensor_model_parallel_size // (4 * shape.vocabulary))
        self._together = settings.tensor_model_parallel_size if settings.sequence_parallel else 1

    def forward(self, batch: Packed) -> torch.Tensor:  # type: ignore[override]
        """(tokens here, 1, hidden) of a stage that is not the last; (labels,) float32 log-probabilities of the last."""
        lengths = [end - start for start, end, _ in batch.pieces]
        rank, ranks = parallel_state.get_context_parallel_rank(), parallel_state.get_context_parallel_world_size()
        part = RowPart.of(lengths, rank, ranks, self._together, batch.tokens.device)
        hidden = super().forward(part.ids(batch.tokens)[None], None, None, packed_seq_params=Sequences.of(part))
        return self._log_probs(hidden, batch, part) if self.post_process else hidden

    def _postprocess(self, hidden_states: torch.Tensor, **_: Any) -> torch.Tensor:  # type: ignore[override]
        return hidden_states

    def _log_probs(self, hidden: torch.Tensor, batch: Packed, part: RowPart) -> torch.Tensor:
        if self.config.sequence_parallel:
            # Each rank computes with all of it from here on: in the backward pass it takes its part of the gradient, which is whole.
            hidden = gather_from_sequence_parallel_region(hidden, tensor_parallel_output_grad=False)
        here, at = part.find(batch.predictors)
        found = self._of_places(hidden[:, 0], at, batch.targets[here])
        if part.order is None:
            return found
        # Every rank computes the loss of all labels, and in the backward pass it takes the gradient of those that are here.
        whole = found.new_zeros(len(batch.targets)).index_copy(0, here, found)
        return reduce_from_tensor_model_parallel_region(whole, group=parallel_state.get_context_parallel_group())

    def _of_places(self, hidden: torch.Tensor, at: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if not len(at):
            # Nothing to learn from: each parameter is given a gradient all the same, of zeros, for that is what Megatron waits for.
            return self._of_labels(hidden[:1], at.new_zeros(1))[:0]
        parts = zip(hidden[at].split(self._rows), targets.split(self._rows), strict=True)
        if not torch.is_grad_enabled():
            return torch.cat([self._of_labels(*each) for each in parts])
        return torch.cat([checkpoint(self._of_labels, *each, use_reentrant=False) for each in parts])

    def _of_labels(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        sequence_parallel, self.output_layer.sequence_parallel = self.output_layer.sequence_parallel, False
        weight = self.shared_embedding_or_output_weight() if self.share_embeddings_and_output_weights else None
        try:
            logits, _ = self.output_layer(hidden[:, None], weight=weight)
        finally:
            self.output_layer.sequence_parallel = sequence_parallel
        return -vocab_parallel_cross_entropy(logits.float(), targets[:, None])[:, 0]
