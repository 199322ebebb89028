"""What the tests of adapters that build on `PeftAdapter` hold them to: plain PEFT on the same batch, and the engine's packing."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

import peft
import torch

from tunesmith_peft.adapter import PeftAdapter
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.model import label_log_probs, load_model, pack

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101, 3, 8], [7, 7, 90, 12, 33, 2, 61, 5]])
SEED = 3


@functools.cache
def _loaded(directory: Path) -> Any:
    return load_model(directory)


def base(directory: Path) -> Any:
    """A fresh copy of the model in `directory`, in evaluation mode."""
    return copy.deepcopy(_loaded(directory))


def plain(adapter: PeftAdapter, directory: Path) -> peft.PeftModel:
    """The same by PEFT alone, with the same start."""
    config = adapter.config(base(directory))
    torch.manual_seed(SEED)
    return peft.get_peft_model(base(directory), config).eval()


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    return model.eval()(TOKENS).logits


def steps(model: Any, count: int = 3, after: Any = None) -> list[tuple[float, torch.Tensor]]:
    """Loss and gradients (as one vector) of each step. `after(number)` runs between the optimizer's step and the zeroing of gradients."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.02)
    found = []
    for number in range(1, count + 1):
        loss = model(TOKENS, labels=TOKENS).loss
        loss.backward()
        found.append((float(loss.detach()), torch.cat([parameter.grad.flatten() for parameter in trained])))
        optimizer.step()
        if after is not None:
            after(number)
        optimizer.zero_grad()
    return found


def learns_as_peft(adapter: PeftAdapter, directory: Path) -> Any:
    """Same losses, same gradients, bit for bit; the trained model."""
    model = base(directory)
    adapter.attach(model, seed=SEED)
    for (loss, gradients), (their_loss, their_gradients) in zip(steps(model), steps(plain(adapter, directory)), strict=True):
        assert loss == their_loss
        assert torch.equal(gradients, their_gradients)
    return model


def keeps(adapter: PeftAdapter, model: Any, directory: Path, saved: Path, *, cut: float = 0.0) -> None:
    """PEFT loads what it saves, and so does the adapter, bit for bit; merged, the logits are within 2e-6 of the largest one: a rounding or
    two.

    Args:
        cut: how much of the largest logit may change by saving, where what has become zero is left out and sums are rounded anew.
    """
    wanted = logits(model)
    largest = float(wanted.abs().max())
    adapter.save(model, saved)
    theirs = logits(peft.PeftModel.from_pretrained(base(directory), saved))
    torch.testing.assert_close(theirs, wanted, rtol=0, atol=cut * largest)
    again = base(directory)
    adapter.load(again, saved)
    assert torch.equal(logits(again), theirs)
    merged = adapter.merge(again)
    assert float((logits(merged) - theirs).abs().max()) <= 2e-6 * largest
    assert merged.state_dict().keys() == base(directory).state_dict().keys()


@torch.no_grad()
def packs(model: Any) -> None:
    """Packed, with a common beginning shared, every label has the log-probability that it has alone."""
    prompt = tuple(range(5, 25))
    sequences = [TokenSequence((*prompt, *tail), (False,) * 20 + (True,) * len(tail)) for tail in ((9, 3, 40), (77, 2), (61, 62, 63, 64))]
    together = label_log_probs(model, pack(sequences))
    alone = torch.cat([label_log_probs(model, pack([sequence])) for sequence in sequences])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
