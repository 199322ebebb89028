"""One rank of a comparison: a model by Megatron beside transformers' own. `python megatron_model.py FOLDER MODEL RANK PROCESSES JSON`.

The JSON's `strategy_settings` are the strategy's. The report says how far log-probabilities and the gradients' norm are apart; what is
saved without training goes to the folder `output`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from rank import megatron
from transformers import AutoModelForCausalLM

from tunesmith.contracts import Placement
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.data.packing import nothing, pack
from tunesmith_torch.model.heads import Heads
from tunesmith_torch.model.loader import empty_model
from tunesmith_torch.training.trainable_model import TrainableModel

LOG_PROBS = "log_probs"  # the output that is compared
LENGTHS = ((7, 12, 5), (3, 9))  # of the sequences in two micro-batches


class Source:
    """A `ModelSource`, of which this strategy takes the modules without values alone."""

    def __init__(self, path: Path, adapter: Full) -> None:
        self.path, self.adapter = path, adapter

    def empty(self) -> TrainableModel:
        with torch.device("meta"):
            model = empty_model(self.path)
        self.adapter.attach(model, seed=0)
        return TrainableModel(model.train(), torch.float32, Heads(), {})


def optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-3)


def sequences(share: int) -> list[list[TokenSequence]]:
    """Two micro-batches of each share."""
    drawn = torch.Generator().manual_seed(share)
    return [
        [TokenSequence(torch.randint(3, 200, (n,), generator=drawn).tolist(), [False] + [True] * (n - 1)) for n in lengths]
        for lengths in LENGTHS
    ]


def log_probs(model: Any, micro: list[TokenSequence]) -> torch.Tensor:
    """By transformers, sequence by sequence."""
    found = []
    for sequence in micro:
        ids = torch.tensor(sequence.tokens)
        logs = model(ids[None]).logits[0].float().log_softmax(-1)
        found.append(logs[:-1].gather(1, ids[1:, None])[:, 0])
    return torch.cat(found)


def main(home: Path, path: Path, rank: int, processes: int, spec: dict[str, Any]) -> None:
    strategy, adapter = megatron(processes, spec["strategy_settings"]), Full(FullSettings())
    mesh = strategy.start(Placement(rank=rank, processes=processes, rendezvous=f"file://{home / 'meet'}"))
    training = strategy.prepare(Source(path, adapter), optimizer)
    theirs = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    mine = sequences(mesh.data_rank)
    batches = [*(pack(micro, share=False) for micro in mine), nothing("cpu")]
    outputs = [output[LOG_PROBS] for output in training.forward(batches)]
    apart = max(float((ours - log_probs(theirs, micro)).abs().max()) for ours, micro in zip(outputs, mine, strict=False))
    weights = [-1 / 20] * len(LENGTHS) + [0.0]
    training.forward_backward(batches, lambda output, number: output[LOG_PROBS].sum() * weights[number])
    norm = training.clip(0.0)
    for micro in [micro for share in range(mesh.data_size) for micro in sequences(share)]:
        (-log_probs(theirs, micro).sum() / 20).backward()
    wanted = float(torch.nn.utils.clip_grad_norm_(theirs.parameters(), float("inf")))
    sums = [float(strategy.sum(torch.tensor(float(mesh.data_rank + 1)))), strategy.any(rank == processes - 1), strategy.any(False)]
    with training.whole() as model:
        if rank == 0:
            adapter.save(model.model, home / "output")
    strategy.barrier()
    strategy.finish()
    told = {"apart": apart, "norm": norm, "wanted": wanted, "sums": sums, "shares": mesh.data_size, "outputs": [len(o) for o in outputs]}
    (home / f"rank{rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    folder, directory, number, count, given = sys.argv[1:]
    main(Path(folder), Path(directory), int(number), int(count), json.loads(given))
