"""A model's chat template, rendered by Jinja as transformers sets it up, to learn what it puts around messages."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_ollama.gguf_metadata import Speech
from tunesmith_ollama.turns import Messages, NotSaid, Turns, learnt

STRIPS = "The model's own template takes away spaces around messages; Ollama has no way to say that, and leaves them."
THOUGHTS = "The model's own template leaves what was thought out of earlier answers; in Ollama, the caller has to."
NO_SYSTEM = "The model's own template takes no system messages; in Ollama, they are left out."
BEGINS = "The runtime puts its first token (BOS) before every text, which the model's own template does not."


def turns_of(speech: Speech) -> tuple[Turns, list[str]]:
    """What stands around messages, without the token that the runtime puts before a text; and what remains different, in sentences.

    Raises:
        UserError: TS-EXPORT-001 when a template in Go's form would say something else.
    """
    import jinja2
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> Any:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    environment.globals.update(raise_exception=raise_exception, strftime_now=_no_clock)

    bare = False

    def render(messages: Messages, generation: bool) -> str:
        said = [{"role": role, "content": content} for role, content in messages]
        try:
            text = template.render(messages=said, add_generation_prompt=generation, bos_token=speech.begin, eos_token=speech.end)
        except jinja2.TemplateError as error:
            raise ValueError(str(error)) from error
        nonlocal bare
        bare = speech.adds_begin and not text.startswith(speech.begin)
        return text.removeprefix(speech.begin) if speech.adds_begin else text

    try:
        template = environment.from_string(speech.template)
        turns = learnt(render)
    except (NotSaid, ValueError, TypeError, jinja2.TemplateError) as reason:
        raise UserError(
            "TS-EXPORT-001", "The model's chat template can't be said in the form that Ollama reads", why=str(reason),
            fix="Give a template in Go's form (`template`), whose prompts you have looked at; or `template: none`, and Ollama guesses.",
        ) from reason  # fmt: skip
    notes = {STRIPS: turns.strips, THOUGHTS: turns.rewrites_thoughts, NO_SYSTEM: turns.system is None, BEGINS: bare}
    return turns, [note for note, holds in notes.items() if holds]


def _no_clock(form: str) -> str:
    """The date of the day on which it was exported would stay in it for ever."""
    if "%" in form:
        raise NotSaid(f"It writes the date ({datetime(2026, 1, 2).strftime(form)}, for one).")
    return form
