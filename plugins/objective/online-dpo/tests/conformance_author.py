"""What the conformance kit can't know: the loss of DPO on pairs, by torch's binary cross-entropy (arXiv:2305.18290)."""

import json

import torch
from torch.nn import functional


def source(case):
    """Prompts, one with what its answer has to be."""
    texts = [("Hello", {}), ("Who wrote Faust?", {"columns": {"answer": "Goethe"}}), ("What is a plan?", {})]
    rows = [{"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}], **more} for text, more in texts]
    (case.directory / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return "dataset/prompt"


def oracle(case, batch):
    """Each pair is a coin that should show the better completion."""
    sums = torch.stack([own.sum() for own in (batch.policy - batch.reference).split(list(batch.lengths))])
    logits = []
    for number, group in enumerate(batch.groups):
        first, second = group.facts["completions"]
        assert {first["better"], second["better"]} == {1.0, -1.0}
        better = 2 * number + (second["better"] > 0)
        logits.append(case.settings["beta"] * (sums[better] - sums[4 * number + 1 - better]))
    coins = torch.stack(logits)
    return functional.binary_cross_entropy_with_logits(coins, torch.ones_like(coins), reduction="sum")


def learning(case):
    """A reward that tells an untrained model's completions apart."""
    return {"rewards": [{"length": {"at_least": 4, "at_most": 12, "unit": "characters"}}], "max_completion_length": 8}
