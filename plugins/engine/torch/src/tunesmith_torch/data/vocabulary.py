"""Are the tokenizer and the model of the same vocabulary? Asked before anything is computed."""

from __future__ import annotations

import json
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_torch.data.tokenized_dataset import TokenizedDataset


def check_vocabulary(rows: TokenizedDataset, base: Artifact, tokenizer: Any) -> None:
    """
    Raises:
        UserError: TS-DATA-045 when a row has a token that the model has no embedding for.
    """
    known = _embeddings(base)
    at = next((number for number, highest in enumerate(rows.highest) if highest >= known), None) if known else None
    if at is None:
        return
    token = next(token for sequence in rows[at].sequences for token in sequence.tokens if token >= known)
    text = tokenizer.backend_tokenizer.id_to_token(token)
    raise UserError(
        "TS-DATA-045", f"Row {at + 1} has the token {token} ({text!r}), which the model does not know",
        why=f"Its tokenizer has {len(tokenizer)} tokens, its weights have embeddings for {known}: they are not of one model, or tokens "
        "were added to the one and not to the other.",
        fix="Use the tokenizer that came with the weights, or a model whose embeddings were resized for it.",
    )  # fmt: skip


def _embeddings(base: Artifact) -> int:
    """Tokens that the model has embeddings for, by its configuration; 0 where that does not say."""
    config = json.loads((base.path / "config.json").read_text(encoding="utf-8"))
    return int((config.get("text_config") or config).get("vocab_size") or config.get("vocab_size") or 0)
