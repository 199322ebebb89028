"""How a model behaves, as transformers has it: what parent and child differ in.

`outputs`: the probabilities of the next token, or no model that loads; `ids`: what its chat template and tokenizer make of conversations;
`text`: what its tokenizer makes of ids; `stops`: which tokens end an answer, to the sampler and to the tokenizer; `numbers`: a weight that
is not finite.
"""

from __future__ import annotations

import functools
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

CONVERSATIONS: tuple[list[dict[str, str]], ...] = (
    [{"role": "user", "content": "What is the capital of France?"}],
    [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "3 + 4 = ( 7 )?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "naïve café 你好 🙂   and  1234567\n\n\tits manifest says everything"},
    ],
)
TEXTS = (
    "The quick brown fox jumps over the lazy dog. " * 3,
    "  0123456789 + - * / = ( ) user assistant system",
    "你好, a plugin is static first: 🙂",
)
#: mean divergence in nats: up to the first two models are the same but for their dtype, above the second they are different ones
SAME, OTHER = 0.003, 0.05


@dataclass(frozen=True)
class Behaviour:
    """Args:
    logits: for each of the parent's sequences of ids; None if the model can't be loaded or asked.
    ids: of each conversation and text; the error's name where there are none.
    text: of fixed ids.
    stops: the sampler's end tokens, the tokenizer's.
    finite: whether every number in the files is one.
    """

    logits: tuple[torch.Tensor, ...] | None
    ids: tuple[object, ...]
    text: object
    stops: tuple[frozenset[int], object]
    finite: bool


@dataclass(frozen=True)
class Distance:
    """Args:
    aspects: in which the two differ.
    divergence: Kullback-Leibler from parent to child in nats, mean over positions; infinite where the child gives no numbers.
    agreement: share of positions with the same most probable token.
    """

    aspects: frozenset[str]
    divergence: float
    agreement: float


def distance(parent: Path, child: Path) -> Distance:
    """How a child differs from its parent."""
    one = parent_behaviour(parent)
    other = behaviour(child, sequences(parent))
    divergence, agreement = _divergence(one.logits, other.logits)
    aspects = {
        "outputs": not divergence <= OTHER,
        "ids": one.ids != other.ids,
        "text": one.text != other.text,
        "stops": one.stops != other.stops,
        "numbers": one.finite != other.finite,
    }
    return Distance(frozenset(name for name, differs in aspects.items() if differs), divergence, agreement)


@functools.cache
def parent_behaviour(directory: Path) -> Behaviour:
    return behaviour(directory, sequences(directory))


@functools.cache
def sequences(directory: Path) -> tuple[tuple[int, ...], ...]:
    """Ids to ask both models with: the parent's, so that what a tokenizer does wrong is no fault of the weights."""
    return tuple(tuple(ids) for ids in _ids(_tokenizer(directory)) if isinstance(ids, tuple))


def behaviour(directory: Path, asked: tuple[tuple[int, ...], ...]) -> Behaviour:
    tokenizer = _tokenizer(directory)
    model = _attempt(lambda: _model(directory))
    logits = None if isinstance(model, str) else _attempt(lambda: tuple(_logits(model, ids) for ids in asked))
    stops = frozenset[int]() if isinstance(model, str) else _ends(model)
    numbered = None if isinstance(tokenizer, str) else tokenizer.eos_token_id
    text = tokenizer if isinstance(tokenizer, str) else tokenizer.decode(list(range(3, 300)))
    return Behaviour(None if isinstance(logits, str) else logits, _ids(tokenizer), text, (stops, numbered), _finite(directory))


def base_of(directory: Path) -> Path | None:
    """The base that an adapter's directory names; None for a model."""
    file = directory / "adapter_config.json"
    return Path(json.loads(file.read_text())["base_model_name_or_path"]) if file.is_file() else None


def _ids(tokenizer: Any) -> tuple[object, ...]:
    if isinstance(tokenizer, str):
        return (tokenizer,)
    rendered = (
        _attempt(lambda turns=turns: tuple(tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]))
        for turns in CONVERSATIONS
    )
    return (*rendered, *(tuple(tokenizer(text)["input_ids"]) for text in TEXTS))


def _tokenizer(directory: Path) -> Any:
    from transformers import AutoTokenizer

    base = base_of(directory)
    return _attempt(lambda: AutoTokenizer.from_pretrained(directory if base is None or (directory / "tokenizer.json").is_file() else base))


def _model(directory: Path) -> Any:
    from transformers import AutoModelForCausalLM

    base = base_of(directory)
    if base is None:
        return AutoModelForCausalLM.from_pretrained(directory, attn_implementation="eager").eval()
    from peft import PeftModel

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager"), directory).eval()


def _logits(model: Any, ids: tuple[int, ...]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float()


def _ends(model: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    return frozenset(ends if isinstance(ends, list) else [ends])


def _finite(directory: Path) -> bool:
    from safetensors.torch import load_file

    return all(bool(tensor.isfinite().all()) for file in directory.glob("*.safetensors") for tensor in load_file(file).values())


def _divergence(one: tuple[torch.Tensor, ...] | None, other: tuple[torch.Tensor, ...] | None) -> tuple[float, float]:
    if one is None or other is None or any(a.shape != b.shape for a, b in zip(one, other, strict=True)):
        return float("inf"), 0.0
    a, b = torch.cat(one), torch.cat(other)
    if not bool(b.isfinite().all()):
        return float("inf"), 0.0
    p, q = a.log_softmax(-1).double(), b.log_softmax(-1).double()
    return float((p.exp() * (p - q)).sum(-1).mean()), float((a.argmax(-1) == b.argmax(-1)).double().mean())


def _attempt(what: Any) -> Any:
    """What it gives, or the name of the error that it ends with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return what()
        except Exception as error:
            return type(error).__name__
