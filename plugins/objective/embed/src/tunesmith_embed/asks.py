"""What `embed` asks of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_embed.settings import EmbedSettings
from tunesmith_models import ModelShape
from tunesmith_torch.api import Asks
from tunesmith_torch.api.model import encodes


def asks(settings: EmbedSettings) -> Asks:
    """The hidden states; of each row how many texts it compares, and the embeddings of all of them."""
    texts = 2 + settings.hard_negatives
    usage = {name: getattr(settings, name) for name in ("pooling", "matryoshka_dims", "query_prompt", "document_prompt")}
    return Asks(sequences=texts, log_probs=False, hidden=True, statistics=1, statistic_states=texts, role="embed", usage=usage)


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """
    Raises:
        UserError: TS-TRAIN-102, of a model whose sizes are known; TS-TRAIN-139 for the first token of a model that is no encoder.
    """
    settings, shape = EmbedSettings(**request.settings), ModelShape.of(request)
    if settings.pooling == "cls" and request.config and not encodes(request.config):
        raise UserError(
            "TS-TRAIN-139", f"`pooling: cls` reads the first token, and `{request.config.get('model_type')}` is no encoder",
            why="The first token of a model that writes sees no other: all texts would have one embedding.",
            fix="Write `pooling: last` or `pooling: mean`, or take an encoder.",
        )  # fmt: skip
    if shape:
        check_sizes(settings.matryoshka_dims, shape.hidden)
    return asks(settings).parts


def check_sizes(sizes: Sequence[int], hidden: int) -> None:
    """
    Raises:
        UserError: TS-TRAIN-102 when an embedding of `hidden` numbers has no such part.
    """
    if wrong := [size for size in sizes if not 0 < size < hidden]:
        raise UserError(
            "TS-TRAIN-102", f"`matryoshka_dims` has {wrong[0]}, and the model's hidden states have {hidden} numbers",
            fix=f"Give numbers from 1 to {hidden - 1}; the whole counts anyway.",
        )  # fmt: skip
