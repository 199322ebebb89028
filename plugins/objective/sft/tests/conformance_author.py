"""What the conformance kit can't know: what `sft` must equal is transformers' loss of causal language models.

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
    """The sum over the batch's labels, of logits that give them the log-probabilities `policy`, rows padded to one length."""
    sequences = [sequence for group in batch.groups for sequence in group.sequences]
    longest = max(len(sequence.tokens) for sequence in sequences)
    rows, labels, used = [], torch.full((len(sequences), longest), NOTHING), 0
    for row, sequence in enumerate(sequences):
        places = [at for at, label in enumerate(sequence.labels) if label]
        labels[row, places] = torch.tensor([sequence.tokens[at] for at in places])
        rows.append(_logits(batch.policy[used : used + len(places)], sequence.tokens, places, longest))
        used += len(places)
    logits = torch.stack(rows)
    if ForCausalLMLoss:
        return ForCausalLMLoss(logits, labels, WORDS, num_items_in_batch=1)
    return functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=NOTHING, reduction="sum")


def _logits(wanted, tokens, places, longest):
    """Rows of logits whose softmax gives the token at each place the log-probability wanted, from the position before it."""
    rest = torch.log1p(-wanted.exp()) - torch.log(torch.tensor(WORDS - 1.0))
    here = functional.one_hot(torch.tensor([tokens[at] for at in places]), WORDS).bool()
    rows = torch.where(here, wanted[:, None], rest[:, None])
    return wanted.new_zeros(longest, WORDS).index_put((torch.tensor(places) - 1,), rows)
