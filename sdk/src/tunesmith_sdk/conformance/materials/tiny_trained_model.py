"""A tiny model that knows something: a few sentences by heart, so that its perplexity on them is low and damage to it shows."""

from __future__ import annotations

from pathlib import Path

#: question and answer; some of it takes several bytes a letter
SENTENCES = (
    ("What is the capital of France?", "Paris is the capital of France."),
    ("Who is there?", "The quick brown fox jumps over the lazy dog."),
    ("你好", "你好 🙂 naïve café 🙂"),
    ("Count.", "0 1 2 3 4 5 6 7 8 9"),
)
STEPS, RATE = 100, 1e-2


def lesson(tokenizer: object) -> list[list[int]]:
    """The sentences as the model reads them, a conversation each."""
    return [
        list(
            tokenizer.apply_chat_template(  # type: ignore[attr-defined]
                [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], tokenize=True, return_dict=True
            )["input_ids"]
        )
        for question, answer in SENTENCES
    ]


def teach(directory: Path) -> None:
    """Train the model in `directory` until it knows the sentences, in place."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(directory), AutoTokenizer.from_pretrained(directory)
    rows = [torch.tensor([ids]) for ids in lesson(tokenizer)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        loss = torch.stack([model(row, labels=row).loss for row in rows]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.save_pretrained(directory)


def perplexity(model: object, tokenizer: object) -> float:
    """Of the sentences, by a model that is loaded: near 1 where it knows them."""
    import torch

    with torch.no_grad():
        losses = [model(row, labels=row).loss for row in (torch.tensor([ids]) for ids in lesson(tokenizer))]  # type: ignore[operator]
    return float(torch.stack([loss.float() for loss in losses]).mean().exp())
