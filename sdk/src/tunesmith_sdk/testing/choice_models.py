"""Models and questions whose scores are known: what one model prefers and another does not, and models that say the same of everything."""

from __future__ import annotations

import shutil
from math import log
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tunesmith.contracts import Artifact

CHOICES = ["a fox", "the dog", "Paris", "0123"]
TOO_LONG = {"question": "ab " * 1500, "choices": CHOICES, "right": 0}  # for what reads 2,048 tokens


def questions(case):
    """Their answers are what the taught model says; the blank one says something else. One question is longer than a model reads."""
    asked = [{"question": f"What is {number}?", "choices": CHOICES[number % 2 :] + CHOICES[: number % 2]} for number in range(60)]
    taught, blank = (_preferred(Path(case.material(name)), asked) for name in ("taught", "blank"))
    told = [{**row, "right": one} for row, one, other in zip(asked, taught, blank, strict=True) if one != other]
    assert len(told) >= 20
    return [*told, TOO_LONG]


def choice_answers(case):
    """A model to which B is the most probable letter whatever it reads."""
    model = always("B", Path(case.material("blank")), case.directory / "always-b")
    rows = [{"question": f"{n}?", "choices": CHOICES[:3], "right": right} for n, right in enumerate((1, 0, 1, 2))]
    known = {"accuracy": 0.5, "accuracy_norm": 0.5, "scored": 4.0, "truncated": 0.0, "accuracy/low": 0.1500389, "accuracy/high": 0.8499611}
    yield model, rows, known


@torch.no_grad()
def always(letter: str, blank: Path, folder: Path) -> Artifact:
    """Its head is zeros but for the letter's token."""
    shutil.copytree(blank, folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    token = AutoTokenizer.from_pretrained(folder)(f" {letter}", add_special_tokens=False)["input_ids"][-1]
    model.get_input_embeddings().weight.fill_(1000.0)  # beside which the norm's epsilon is nothing
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    model.lm_head.weight.zero_()
    model.lm_head.weight[token] = log(2) / model.config.hidden_size
    model.save_pretrained(folder)
    return Artifact("model/hf", folder)


@torch.no_grad()
def _preferred(folder: Path, rows) -> list[int]:
    """By transformers alone."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    found = []
    for row in rows:
        listed = "".join(f"{letter}. {choice}\n" for letter, choice in zip("ABCD", row["choices"], strict=True))
        text = f"{row['question']}\n{listed}Answer:"
        scores = []
        for letter in "ABCD":
            ids = torch.tensor([tokenizer(f"{text} {letter}", add_special_tokens=False)["input_ids"]])
            start = len(tokenizer(text, add_special_tokens=False)["input_ids"])
            log_probs = model(ids).logits[0, start - 1 : -1].log_softmax(-1)
            scores.append(float(log_probs.gather(1, ids[0, start:, None]).sum()))
        found.append(scores.index(max(scores)))
    return found
