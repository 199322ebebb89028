"""The data files that the READMEs' examples speak of."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from distributions import ROOT

CHATS = {"train": "train", "held-out": "held-out", "questions": "held-out", "polite": "train", "brief": "train"}
OTHERS = {
    "pairs": "dpo/pairs.jsonl", "documents": "datasets/plain-text.jsonl", "steps": "datasets/stepwise.jsonl",
    "passages": "datasets/embedding.jsonl", "held-out-pairs": "reward/held-out.jsonl",
}  # fmt: skip
REVIEWS = '{"text": "It broke on the first day.", "label": "negative"}\n{"text": "It does what it says.", "label": "positive"}\n'
SUMS = '{"messages": [{"role": "user", "content": "What is 2 + 3?"}, {"role": "assistant", "content": "2 + 3 = 5. #### 5"}]}\n' * 8
PROMPTS = '{"prompt": "What is 2 + 3?", "answer": "5"}\n{"prompt": "What is 4 + 4?", "answer": "8"}\n'


def write_example_data(folder: Path) -> None:
    for name, source in CHATS.items():
        shutil.copy(ROOT / "examples" / "quickstart" / f"{source}.jsonl", folder / f"{name}.jsonl")
    for name, source in OTHERS.items():
        shutil.copy(ROOT / "examples" / source, folder / f"{name}.jsonl")
    (folder / "reviews.jsonl").write_text(REVIEWS)
    (folder / "prompts.jsonl").write_text(PROMPTS)
    (folder / "gsm8k.jsonl").write_text(SUMS)
    (folder / "playground" / "bin").mkdir(parents=True)  # an environment that a user makes beside it
    (folder / "playground" / "bin" / "python").symlink_to(sys.executable)
