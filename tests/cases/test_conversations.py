"""Conversations that users brought, by real and rewritten templates: what of them is trained on."""

from __future__ import annotations

import json
from pathlib import Path

import trl

from tunesmith_alpaca.rows import Alpaca
from tunesmith_messages.rows import Messages
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_torch.api.text import ChatTokenizer
from tunesmith_torch.data.chat_template.eos_tokens import unnamed_end

CASES = Path(__file__).parent
QWEN3 = Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja"


def rows(case: str) -> list[dict]:
    return [json.loads(line) for line in (CASES / case / "rows.jsonl").read_text("utf-8").splitlines()]


def learnt(chat: ChatTokenizer, row) -> str:
    (sequence,) = SupervisedTuning().encode(row, chat).sequences
    return chat.tokenizer.decode([token for token, label in zip(sequence.tokens, sequence.labels, strict=True) if label])


def test_rows_of_several_turns_and_with_a_call_are_learnt_as_qwen3_writes_them():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = QWEN3.read_text("utf-8")
    chat = ChatTokenizer(tokenizer)
    assert [learnt(chat, Messages().convert(row)) for row in rows("qwen3-conversations")] == [
        "<think>\n\n</think>\n\nBlue.<|im_end|>",
        "The Elbe.<|im_end|><think>\n\n</think>\n\nLake Como.<|im_end|>",
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call><|im_end|>'
        "<think>\n\n</think>\n\n21 degrees.<|im_end|>",
    ]  # fmt: skip


def test_a_base_model_with_a_chat_template_learns_an_end_at_which_it_stops():
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = "<|endoftext|>"
    chat = ChatTokenizer(tokenizer, [0])
    row = Alpaca().convert(rows("base-model-that-never-stops")[0])
    assert learnt(chat, row) == "The Elbe.<|im_end|>"
    assert chat.answers.ends == {"<|endoftext|>", "<|im_end|>"}
    assert "<|im_end|>, which is none of the tokens at which the model stops (<|endoftext|>)" in unnamed_end(chat)
