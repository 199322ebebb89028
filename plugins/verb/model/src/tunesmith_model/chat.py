"""How a model's chats are written, and where it stops: from its tokenizer, where the files are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunesmith.errors import TunesmithError, UserError
from tunesmith_model.source import Model

if TYPE_CHECKING:
    from tunesmith_torch.api.text import ChatTemplate

EXAMPLE = (
    {"role": "system", "content": "You answer in one sentence."}, {"role": "user", "content": "Why is the sky blue?"},
    {"role": "assistant", "content": "Air scatters blue light most."}, {"role": "user", "content": "And at sunset?"},
)  # fmt: skip
TOKENIZER = "tokenizer.json"
NOT_HERE, NO_TOKENIZER, NOT_INSTALLED = "its files are not here", f"it has no {TOKENIZER}", "tunesmith-model[runtime] is not installed"


def chat(model: Model) -> dict[str, Any]:
    """A conversation as the model reads it, the tokens at which it stops, and `why_not` where these are not known."""
    known = model.described
    if model.directory is None:
        return _unknown(NOT_HERE, template=bool(known.template) if known else None)
    if not (model.directory / TOKENIZER).is_file():
        return _unknown(NO_TOKENIZER)
    try:
        return _of_files(model)
    except ImportError:
        return _unknown(NOT_INSTALLED)
    except TunesmithError as error:
        return _unknown(error.what)


def _unknown(why_not: str, template: bool | None = None) -> dict[str, Any]:
    return {"template": template, "example": "", "stops": [], "why_not": why_not, "remark": ""}


def _of_files(model: Model) -> dict[str, Any]:
    import jinja2  # noqa: F401 - the template's process needs it, which could only say that it ended

    from tunesmith_torch.api.text import ChatTokenizer, chat_encoder, ends_of_model

    assert model.directory is not None
    encoder: ChatTokenizer = chat_encoder(model.directory)
    ends, remark = ends_of_model(model.directory, encoder.tokenizer)
    names = {id: str(token) for id, token in encoder.tokenizer.added_tokens_decoder.items()}
    told = {"stops": [{"id": id, "token": names.get(id, "")} for id in sorted(ends)], "why_not": "", "remark": remark}
    if not encoder.template.sources.get("default"):
        return {"template": False, "example": "", **told}
    return {"template": True, "example": _example(encoder.template), **told}


def _example(template: ChatTemplate) -> str:
    messages = [dict(one) for one in EXAMPLE]
    try:
        return template.render(messages, prompt=True).text
    except UserError:  # many know no system message
        return template.render(messages[1:], prompt=True).text
