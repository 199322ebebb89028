"""From a request's texts, tokens or messages to the sequences that the model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_torch.api import LAST, TokenSequence
from tunesmith_torch.api.scoring import (
    ScoringModel,
    conversation_sequence,
    embedded_places,
    embedded_sequence,
    steps_sequence,
    text_sequence,
    words_sequence,
)
from tunesmith_transformers.api.errors import ApiError
from tunesmith_transformers.api.request.prompts import plain_message
from tunesmith_transformers.engine.scheduler import Limits

_ENCODING = Lock()  # the tokenizer's template is one for all threads


def embedding_inputs(request: Mapping[str, Any], model: ScoringModel, limits: Limits) -> list[TokenSequence]:
    """A sequence for each input, a text or a list of token ids, alone or in a list."""
    pooling = str(model.usage.get("pooling", "last"))
    prompt = str(model.usage.get(f"{request['prompt_name']}_prompt", "")) if request.get("prompt_name") else ""

    def sequence(given: Any) -> TokenSequence:
        if isinstance(given, str):
            return embedded_sequence(model.chat, prompt + _some(given, "input", model, limits), pooling)
        tokens = _known(given, model)
        if pooling == "last" and tokens[-1] != model.chat.end_token:
            tokens.append(model.chat.end_token)
        return TokenSequence(tokens, [False] * len(tokens), places=tuple(embedded_places(pooling, len(tokens))))

    return [_encoded(lambda one=one: sequence(one), "input", limits) for one in several(request["input"])]


def pooling_inputs(request: Mapping[str, Any], model: ScoringModel, limits: Limits) -> list[TokenSequence]:
    """A sequence for each input, or one for the messages.

    A reward model reads messages; a process reward model, too, of which the last is the solution, its steps apart by the separator of
    training; a classifier reads messages or texts, a tagger texts whose words are apart by spaces.
    """
    if ("messages" in request) == ("input" in request):
        raise ApiError(400, "Give either `messages` or `input`", param="messages")
    if "messages" in request:
        return [_encoded(lambda: _of_messages(request, model, limits), "messages", limits)]
    readers: Mapping[str, Callable[[str], TokenSequence]] = {
        "classify": lambda text: text_sequence(model.chat, text), "classify-tokens": lambda text: words_sequence(model.chat, text.split()),
    }  # fmt: skip
    read = readers.get(model.role)
    if read is None:
        raise ApiError(400, "This model reads conversations: give `messages` in place of `input`", param="input")

    def sequence(given: Any) -> TokenSequence:
        if isinstance(given, str):
            return read(_some(given, "input", model, limits))
        if model.role != "classify":
            raise ApiError(400, "Words can't be told from token ids: give texts as `input`", param="input")
        tokens = _known(given, model)
        return TokenSequence(tokens, [False] * len(tokens), places=(LAST,))

    return [_encoded(lambda one=one: sequence(one), "input", limits) for one in several(request["input"])]


def several(given: Any) -> Sequence[Any]:
    """Inputs of a request, however many."""
    return given if isinstance(given, list) and not isinstance(given[0], int) else [given]


def _of_messages(request: Mapping[str, Any], model: ScoringModel, limits: Limits) -> TokenSequence:
    told = [plain_message(one, f"messages[{at}]") for at, one in enumerate(request["messages"])]
    _some("".join(str(one["content"]) for one in told), "messages", model, limits)
    turns = [{**one, "content": message(one["role"], one["content"])["content"]} for one in told]
    if model.role == "classify-tokens":
        raise ApiError(400, "This model reads texts: give `input` in place of `messages`", param="messages")
    if model.role != "process-reward":
        return conversation_sequence(model.chat, turns, request.get("tools") or ())  # type: ignore[arg-type]
    if told[-1]["role"] != "assistant":
        raise ApiError(400, "The last of `messages` should be the assistant's: its text is the solution that is judged", param="messages")
    separator = str(model.usage.get("step_separator", "\n"))
    steps = str(told[-1]["content"]).split(separator) if separator else [str(told[-1]["content"])]
    last_only = bool(model.usage.get("train_on_last_step_only"))
    return steps_sequence(model.chat, turns[:-1], steps, separator=separator, last_only=last_only)  # type: ignore[arg-type]


def _encoded(make: Callable[[], TokenSequence], param: str, limits: Limits) -> TokenSequence:
    try:
        with _ENCODING:
            found = make()
    except UserError as error:
        raise ApiError(400, " ".join(filter(None, (f"{error.what}.", error.why))), param=param) from None
    if len(found.tokens) > limits.length:
        what = f"`{param}` has {len(found.tokens)} tokens, and this server reads {limits.length}"
        raise ApiError(400, what, param=param, code="context_length_exceeded")
    return found


def _some(text: str, param: str, model: ScoringModel, limits: Limits) -> str:
    """The text, if it is one and can be short enough: what has more characters than any tokens of that number is not looked at."""
    if not text.strip():
        raise ApiError(400, f"`{param}` is empty: there is nothing to read", param=param)
    if len(text) > limits.length * _longest_token(model.chat.tokenizer):
        what = f"a text of {len(text)} characters has more tokens than the {limits.length} that this server reads"
        raise ApiError(400, f"`{param}` can't be read: {what}", param=param, code="context_length_exceeded")
    return text


@lru_cache(maxsize=4)
def _longest_token(tokenizer: Any) -> int:
    """In characters."""
    return max(map(len, tokenizer.backend_tokenizer.get_vocab()))


def _known(ids: Sequence[int], model: ScoringModel) -> list[int]:
    rows = model.model.get_input_embeddings().num_embeddings
    if max(ids) >= rows:
        raise ApiError(400, f"`input` can't be read: there is no token {max(ids)}; the model has {rows}", param="input")
    return list(ids)
