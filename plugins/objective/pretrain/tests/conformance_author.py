"""What the conformance kit can't know: what `pretrain` must equal is transformers' loss of causal language models.

Where only torch is, as in an isolated environment, it is torch's cross-entropy, with labels one position after their logits.
"""

import torch
from torch.nn import functional

try:
    from transformers.loss.loss_utils import ForCausalLMLoss
except ModuleNotFoundError:
    ForCausalLMLoss = None

WORDS = 300  # the vocabulary; the kit's tokens are bytes and a few more
NOTHING = -100  # for transformers and torch: no label


def oracle(case, batch):
    """The sum over all tokens but each document's first, of logits that give them the log-probabilities `policy`; padded to one length."""
    documents = [list(sequence.tokens) for group in batch.groups for sequence in group.sequences]
    longest = max(map(len, documents))
    labels = torch.tensor([tokens + [NOTHING] * (longest - len(tokens)) for tokens in documents])
    rows = []
    for tokens, wanted in zip(documents, batch.policy.split(list(batch.lengths)), strict=True):
        rest = torch.log1p(-wanted.exp()) - torch.log(torch.tensor(WORDS - 1.0))
        here = functional.one_hot(torch.tensor(tokens[1:]), WORDS).bool()
        logits = torch.where(here, wanted[:, None], rest[:, None])
        rows.append(functional.pad(logits, (0, 0, 0, longest - len(logits))))
    logits = torch.stack(rows)
    if ForCausalLMLoss:
        return ForCausalLMLoss(logits, labels, WORDS, num_items_in_batch=1)
    return functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=NOTHING, reduction="sum")
