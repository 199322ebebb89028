"""What the conformance kit can't know: pairs with margins, and the loss by torch's binary cross-entropy, whose logit is the difference
of the scores."""

import json


def source(case):
    """The kit's pairs, every other one with a margin."""
    rows = [json.loads(line) for line in (case.material("pairs") / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    told = [{**row, "margin": 0.5 + number} if number % 2 else row for number, row in enumerate(rows)]
    (case.directory / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told), encoding="utf-8")
    return "dataset/preference"


def oracle(case, batch):
    """Each pair is a coin that should show 1: the chosen answer won. The margins are a handicap of the scores."""
    import torch
    from torch.nn import functional

    scores = batch.scores["score"].squeeze(1)
    handicap = torch.tensor([group.facts.get("margin", 0.0) for group in batch.groups], dtype=scores.dtype)
    logits = scores[0::2] - scores[1::2] - handicap
    won = functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits), reduction="sum")
    return won + case.settings["center_rewards_coefficient"] * (scores[0::2] + scores[1::2]).pow(2).sum()
