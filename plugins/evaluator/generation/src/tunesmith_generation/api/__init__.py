"""For evaluators that ask an endpoint questions, too: how they are asked, answers that are kept as they come, samples that are counted."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports
from tunesmith_generation.facts import COUNTS, SMALLEST, bounds
from tunesmith_generation.settings import NOT_SCORED, AskingSettings, RequestSettings

if TYPE_CHECKING:
    from tunesmith_generation.answers import Answer, answer_of, ask, digest, forget, request_bodies, write_asked
    from tunesmith_generation.estimate import estimate
    from tunesmith_generation.questions import Question, prompts, questions
    from tunesmith_generation.samples import counted, tell_missing

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

__all__ = [
    "API",
    "COUNTS",
    "NOT_SCORED",
    "SMALLEST",
    "Answer",
    "AskingSettings",
    "Question",
    "RequestSettings",
    "answer_of",
    "ask",
    "bounds",
    "counted",
    "digest",
    "estimate",
    "forget",
    "prompts",
    "questions",
    "request_bodies",
    "tell_missing",
    "write_asked",
]

_MODULES = {
    "answers": ("Answer", "answer_of", "ask", "digest", "forget", "request_bodies", "write_asked"),
    "estimate": ("estimate",),
    "questions": ("Question", "prompts", "questions"),
    "samples": ("counted", "tell_missing"),
}
__getattr__ = exports(__name__, {name: f"tunesmith_generation.{module}" for module, names in _MODULES.items() for name in names})
