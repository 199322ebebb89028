"""What the conformance kit can't know: the loss of PPO as the papers write it, by torch's own functions (arXiv:1707.06347, 2403.17031)."""

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
    """The larger of the two surrogates, and half the larger of two mean squared errors."""
    facts = [one for group in batch.groups for one in group.facts["completions"]]
    gains, wanted, before, old = (
        torch.cat([torch.tensor(one[name], dtype=batch.policy.dtype) for one in facts])
        for name in ("advantages", "returns", "values", "old")
    )
    ratio, epsilon = batch.policy.exp() / old.exp(), case.settings["cliprange"]
    policy = torch.stack([-gains * ratio, -gains * torch.clip(ratio, 1 - epsilon, 1 + epsilon)]).amax(0)
    values, far = batch.scores["value"][:, 0], case.settings["cliprange_value"]
    near = torch.max(torch.min(values, before + far), before - far)
    errors = torch.stack([functional.mse_loss(guess, wanted, reduction="none") for guess in (values, near)]).amax(0)
    return policy.sum() + case.settings["vf_coef"] * 0.5 * errors.sum()


def learning(case):
    """A reward that tells an untrained model's completions apart."""
    return {"rewards": [{"length": {"at_least": 4, "at_most": 12, "unit": "characters"}}], "max_completion_length": 8}
