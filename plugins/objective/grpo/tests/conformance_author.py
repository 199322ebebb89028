"""What the conformance kit can't know: the loss of GRPO as its papers write it, completion by completion (arXiv:2402.03300, 2503.14476)."""

import json

import torch


def source(case):
    """Prompts, one with what its answer has to be."""
    texts = [("Hello", {}), ("Who wrote Faust?", {"columns": {"answer": "Goethe"}}), ("What is a plan?", {})]
    rows = [{"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}], **more} for text, more in texts]
    (case.directory / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return "dataset/prompt"


def oracle(case, batch):
    """The summed surrogate of all tokens, with the estimator of the KL divergence from Schulman's note of 2020, in probabilities."""
    beta, epsilon = case.settings["beta"], case.settings["epsilon"]
    total, used = batch.policy.new_zeros(()), 0
    facts = [one for group in batch.groups for one in group.facts["completions"]]
    for one, length in zip(facts, batch.lengths, strict=True):
        for at in range(used, used + length):
            now, before = batch.policy[at].exp(), torch.tensor(one["old"][at - used], dtype=batch.policy.dtype).exp()
            ratio = now / before
            surrogate = torch.minimum(ratio * one["advantage"], ratio.clamp(1 - epsilon, 1 + epsilon) * one["advantage"])
            reference = batch.reference[at].exp()
            total = total - surrogate + beta * (reference / now - torch.log(reference / now) - 1)
        used += length
    return total


def learning(case):
    """A reward that tells an untrained model's completions apart."""
    return {"rewards": [{"length": {"at_least": 4, "at_most": 12, "unit": "characters"}}], "num_generations": 4, "max_completion_length": 8}
