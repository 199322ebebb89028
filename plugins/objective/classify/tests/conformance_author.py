"""What the conformance kit can't know: rows of words, and transformers' loss of its classifiers, with padding that
does not count. Where only torch is, as in an isolated environment, it is torch's cross-entropy.
"""

import json
from types import SimpleNamespace

import torch
from torch.nn import functional

try:
    from transformers.loss.loss_utils import ForSequenceClassificationLoss, ForTokenClassification
except ModuleNotFoundError:
    ForTokenClassification = None

WORDS = (["Goethe", "lived", "in", "Weimar"], ["naïve", "café", "你好", "a"], ["one"])
NOTHING = -100  # for transformers and torch: no label


def source(case):
    """Rows of words for `classify-tokens`; those of the kit for `classify`."""
    tagged = case.name == "classify-tokens"
    rows = [{"tokens": words, "labels": ["long" if len(word) > 3 else "short" for word in words]} for words in WORDS]
    if not tagged:
        texts = [" ".join(words) for words in WORDS]
        rows = [{"text": text, "label": "odd" if len(text) % 2 else "even"} for text in texts]
        rows.append({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "label": "odd"})
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (case.directory / "rows.jsonl").write_text(lines, encoding="utf-8")
    return "dataset/labelled"


def oracle(case, batch):
    """The mean that transformers computes, times the number of what counts."""
    scores = batch.scores["score"]
    wanted = torch.tensor([number for group in batch.groups for number in group.facts["classes"]])
    if ForTokenClassification is None:
        return functional.cross_entropy(scores, wanted, reduction="sum")
    config = SimpleNamespace(num_labels=scores.shape[1], problem_type=None)
    if case.name == "classify":
        return ForSequenceClassificationLoss(wanted, scores, config) * len(wanted)
    padded = functional.pad(scores, (0, 0, 0, 2))[None]
    return ForTokenClassification(padded, functional.pad(wanted, (0, 2), value=NOTHING)[None], config) * len(wanted)
