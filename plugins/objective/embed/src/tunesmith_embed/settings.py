"""Settings of the objective `embed`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class EmbedSettings:
    temperature: float = setting(0.05, "what cosine similarities are divided by: the smaller, the more the nearest wrong text counts", gt=0)
    pooling: str = setting(
        "last", "what of a text's last hidden states is its embedding. last: that of the end token, which is put behind the text; mean: "
        "the mean of all; cls: that of the first, of encoders alone", choices=("last", "mean", "cls"),
    )  # fmt: skip
    hard_negatives: int = setting(1, "most of a row's own negatives that are used, the first ones; 0: other rows' positives alone", ge=0)
    matryoshka_dims: list[int] = setting(
        [], "so many first numbers of an embedding are to serve as one, too: the loss is the mean over them and the whole", examples=([64],)
    )
    query_prompt: str = setting("", "what is put before each anchor")
    document_prompt: str = setting("", "what is put before each positive and negative")
