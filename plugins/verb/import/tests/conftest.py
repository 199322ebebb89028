"""A folder with rows in the forms that configurations name, and plans that share what takes long to start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import ModelInfo
from tunesmith.planning.estimates.estimators import Estimators
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.plan import Plan
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.registry import Registry, load_registry
from tunesmith_sdk.testing.plans import CARDS, CONFIG, LAPTOP

ASKED = [
    ("Where do artifacts live?", "In the store."),
    ("Who makes a plan?", "The planner does."),
    ("What is a step?", "One verb of a pipeline."),
]
INFO = {
    "talks": {"file_name": "talks.json", "formatting": "sharegpt", "columns": {"messages": "conversations"}},
    "asked": {"file_name": "asked.json", "columns": {"prompt": "question", "response": "answer"}},
    "held": {"file_name": "held.json"},
    "pairs": {
        "file_name": "pairs.json", "ranking": True,
        "columns": {"prompt": "instruction", "query": "input", "chosen": "chosen", "rejected": "rejected"},
    },
    "turns_pairs": {
        "file_name": "turns_pairs.json", "ranking": True, "formatting": "sharegpt",
        "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
    },
    "votes": {
        "file_name": "votes.json", "formatting": "sharegpt", "columns": {"messages": "messages", "kto_tag": "good"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    },
    "books": {"file_name": "books.json", "columns": {"prompt": "body"}},
    "questions": {"file_name": "questions.json", "columns": {"prompt": "prompt"}},
}  # fmt: skip
ZERO = {
    "train_batch_size": "auto", "gradient_clipping": "auto", "bf16": {"enabled": "auto"},
    "zero_optimization": {"stage": 2, "reduce_bucket_size": 5e8, "overlap_comm": False, "round_robin_gradients": True},
}  # fmt: skip


def rows() -> dict[str, list[dict[str, Any]]]:
    chats = [[{"role": "user", "content": said}, {"role": "assistant", "content": answer}] for said, answer in ASKED]
    talks = [[{"from": "human", "value": said}, {"from": "gpt", "value": answer}] for said, answer in ASKED]
    pairs = [{"prompt": said, "chosen": answer, "rejected": "I would rather not say."} for said, answer in ASKED]
    return {
        "data/talks.json": [{"conversations": talk} for talk in talks],
        "data/asked.json": [{"question": said, "answer": answer} for said, answer in ASKED],
        "data/held.json": [{"instruction": "What is a run?", "input": "", "output": "One execution of a pipeline."}],
        "data/pairs.json": [{"instruction": said, "input": "", "chosen": answer, "rejected": "No."} for said, answer in ASKED],
        "data/turns_pairs.json": [
            {"conversations": talk[:1], "chosen": talk[1], "rejected": {"from": "gpt", "value": "No."}} for talk in talks
        ],
        "data/votes.json": [{"messages": chat, "good": number % 2 == 0} for number, chat in enumerate(chats)],
        "data/books.json": [{"body": f"{said} {answer} " * 9} for said, answer in ASKED],
        "data/questions.json": [{"prompt": said} for said, _ in ASKED],
        "rows/chat.jsonl": [{"messages": chat} for chat in chats],
        "rows/alpaca.jsonl": [{"instruction": said, "input": "", "output": answer} for said, answer in ASKED],
        "rows/talks.jsonl": [{"conversations": talk} for talk in talks],
        "rows/completions.jsonl": [{"prompt": said, "completion": answer} for said, answer in ASKED],
        "rows/text.jsonl": [{"text": f"{said} {answer} " * 9} for said, answer in ASKED],
        "rows/pairs.jsonl": pairs,
        "rows/votes.jsonl": [{"prompt": said, "completion": answer, "label": answer != ASKED[1][1]} for said, answer in ASKED],
        "rows/rejected.jsonl": [{"messages": chat, "rejected_response": "No."} for chat in chats],
        "rows/sums.jsonl": [{"prompt": f"{number} + 2?", "answer": str(number + 2)} for number in range(6)],
        "rows/columns.jsonl": [{"ask": said, "reply": answer} for said, answer in ASKED],
    }  # fmt: skip


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_registry(load_config())


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configurations")
    for name, found in rows().items():
        (folder / name).parent.mkdir(exist_ok=True)
        text = json.dumps(found) if name.endswith(".json") else "\n".join(json.dumps(row) for row in found)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    (folder / "data" / "dataset_info.json").write_text(json.dumps(INFO), encoding="utf-8")
    (folder / "zero.json").write_text(json.dumps(ZERO), encoding="utf-8")
    for name in ("tiny", "judge-model"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def planned(registry: Registry) -> Iterator[Callable[..., Plan]]:
    """A plan as a machine would have it on which every model is SmolLM2-135M."""
    estimators = Estimators()

    def resolve(uri: str) -> ModelInfo:
        return ModelInfo(uri, "1", "model/hf", {"model.safetensors": {"size": 269_000_000, "sha256": ""}}, CONFIG)

    def digest(path: Path) -> str:
        return hashlib.sha256(str(path).encode()).hexdigest()

    def plan(file: Path, cards: bool = False) -> Plan:
        devices = {**LAPTOP, **CARDS} if cards else LAPTOP
        return make_plan(load_pipeline(file), registry, resolve=resolve, devices=devices, digest_of=digest, estimators=estimators)

    yield plan
    if hasattr(estimators, "close"):
        estimators.close()
