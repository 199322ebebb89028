"""What the conformance kit can't know: torch's cross-entropy on the matrix of all similarities."""

import torch
from torch.nn import functional


def oracle(case, batch):
    """The sum over the rows; an anchor's own text is that on the diagonal, other rows' and all negatives stand beside it."""
    of_texts = iter(states.mean(0) for states in batch.hidden.split(list(batch.places)))
    rows = [[next(of_texts) for _ in group.sequences] for group in batch.groups]
    anchors = torch.stack([row[0] for row in rows])
    documents = torch.stack([row[1] for row in rows] + [text for row in rows for text in row[2:]])
    losses = []
    for size in (anchors.shape[1], *case.settings["matryoshka_dims"]):
        one, other = (functional.normalize(texts[:, :size], dim=1) for texts in (anchors, documents))
        logits = one @ other.T / case.settings["temperature"]
        losses.append(functional.cross_entropy(logits, torch.arange(len(anchors)), reduction="sum"))
    return sum(losses) / len(losses)
