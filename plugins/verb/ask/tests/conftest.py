"""A folder with rows of several kinds, and what is installed here."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.plugins.registry import Registry, load_registry

CHATS = [("Where is my order?", "It is on its way."), ("When do I get my refund?", "Within five days of the return.")]
CONTRACTS = [
    ("起草一条违约责任条款。", "若一方违约,应当赔偿对方因此所受的损失,并承担诉讼费用。"),
    ("什么是管辖权?", "管辖权是法院受理案件的权限,由法律规定。"),
]


def chat(question: str, said: str) -> str:
    return json.dumps({"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": said}]}, ensure_ascii=False)


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_registry(load_config())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chats, contracts = "\n".join(chat(*row) for row in CHATS * 9), "\n".join(chat(*row) for row in CONTRACTS * 9)
    pair = json.dumps({"prompt": "Hi", "chosen": "Hello! How can I help?", "rejected": "What?"})
    tickets = 'text,label\n"It broke after a day.",bad\n"It works well.",good\n' + '"Great, thank you.",good\n"Never again.",bad\n' * 8
    files = {"chats.jsonl": chats, "contracts.jsonl": contracts, "合同.jsonl": contracts, "工单.csv": tickets}
    for name, text in {**files, "pairs.jsonl": "\n".join([pair] * 20)}.items():
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
