"""Chat templates of real model families, as TRL's package ships them, and conversations to write by them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import trl
from transformers import PreTrainedTokenizerFast

from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer

FOLDER = Path(trl.__file__).parent / "chat_templates"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jinja") if not path.stem.endswith("_training"))
MARKED = [name for name in NAMES if (FOLDER / f"{name}_training.jinja").exists()]  #: those with a variant that marks the answers

#: Content is a list of parts to these.
OF_PARTS = ("idefics3", "llava_next", "smolvlm")

#: What looks like a control token in a template; each is one of the tokenizer here.
_CONTROL = re.compile(
    r"<\|[\w\- ]+\|>|<｜[^｜\s]+｜>|<(?:start|end)_of_turn>|</?s>|<turn\|>|<\|turn>|<\|tool_\w+>|<tool_\w+\|>|</?think>|<end_of_utterance>"
)

#: Tokens at which a family's models stop; the first is the tokenizer's own. Others stop at <|im_end|>.
_ENDS = {
    "cohere": ["<|END_OF_TURN_TOKEN|>"], "deepseek": ["<｜end▁of▁sentence｜>"], "gemma": ["<end_of_turn>"],
    "gemma4": ["<turn|>", "<|tool_response>"], "diffusion": ["<turn|>", "<|tool_response>"],
    "glm": ["<|endoftext|>", "<|user|>", "<|observation|>"], "gptoss": ["<|return|>", "<|call|>"], "idefics": ["<end_of_utterance>"],
    "smolvlm": ["<end_of_utterance>"], "llama3": ["<|eot_id|>"], "llava": ["</s>"], "muse": ["<|eot|>"],
    "phi3": ["<|endoftext|>", "<|end|>"],
}  # fmt: skip

TOOLS = [{
    "type": "function",
    "function": {
        "name": "weather", "description": "How it is.", "strict": True,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "at": {"type": "integer"}}, "required": ["city"]},
    },
}]  # fmt: skip
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome", "at": 2}}}
THOUGHTS = {"reasoning_content": "They greet."}, {"reasoning_content": "Say little."}

_ONE = [message("user", "Hi"), message("assistant", "Hello there")]
_MORE = [message("user", "And?"), message("assistant", "Nothing. ")]
CONVERSATIONS = {
    "one turn": (_ONE, []),
    "two turns": ([*_ONE, *_MORE], []),
    "system": ([message("system", "Be brief."), *_ONE, *_MORE], []),
    "thoughts": ([_ONE[0], _ONE[1] | THOUGHTS[0], _MORE[0], _MORE[1] | THOUGHTS[1]], []),
    "thoughts inline": ([
        _ONE[0], message("assistant", "<think>\nThey greet.\n</think>\n\nHello there"),
        _MORE[0], message("assistant", "<think>\nSay little.\n</think>\n\nNothing."),
    ], []),
    "call": ([
        message("user", "Rome?"), {"role": "assistant", "content": [], "tool_calls": [CALL]},
        message("tool", "rain") | {"name": "weather"}, message("assistant", "It rains."),
    ], TOOLS),
    "call at the end": ([*_ONE, message("user", "Rome?"), {"role": "assistant", "content": [], "tool_calls": [CALL]}], TOOLS),
    "tools, no call": ([*_ONE, *_MORE], TOOLS),
}  # fmt: skip


def source(name: str) -> str:
    return (FOLDER / f"{name}.jinja").read_text("utf-8")


def ends(name: str) -> list[str]:
    return _ENDS[max((family for family in _ENDS if name.startswith(family)), key=len)] if name.startswith(tuple(_ENDS)) else ["<|im_end|>"]


@cache
def tokenizer(name: str, variant: str = "") -> PreTrainedTokenizerFast:
    """A small tokenizer in which the family's control tokens are single tokens, with its template or a variant of that."""
    backend = tiny_tokenizer().backend_tokenizer
    control = sorted(set(_CONTROL.findall(source(name))) | set(ends(name)) | {"<bos>", "<pad>"})
    found = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<bos>", eos_token=ends(name)[0], pad_token="<pad>")
    found.add_tokens(control, special_tokens=True)
    found.chat_template = source(name + variant)
    return found


class _OfParts(ChatTokenizer):
    """For templates of models that see, here given text alone."""

    def plain(self, turn):
        return {**turn, "content": turn["content"]}


def chat_of(name: str) -> ChatTokenizer:
    chosen = tokenizer(name)
    kind = _OfParts if name in OF_PARTS else ChatTokenizer
    return kind(chosen, chosen.convert_tokens_to_ids(ends(name)))
