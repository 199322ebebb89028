"""Settings of evaluators that ask an endpoint, and of `generation`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import setting

METRICS = ("exact_match", "contains", "regex", "json_schema", "rouge1", "rouge2", "rougeL", "bleu", "chrf")
QUESTION = "{question}"
NOT_SCORED = "largest share of the questions that may go without a score; beyond it there is no result"
_REQUEST = {"call": "urllib.request:OpenerDirector.open"}


@dataclass(frozen=True)
class RequestSettings:
    """How questions are asked: a part of what a result is about, and so of its cache key.

    Who inherits adds a setting `max_not_scored`, whose help is `NOT_SCORED`.
    """

    system: str = setting("", "system message before questions that have none", examples=("Answer in one word.",), effect=_REQUEST)
    template: str = setting(
        QUESTION, "what the question is put into, its place written {question}; examples, too", examples=("Q: {question}\nA:",)
    )
    max_tokens: int = setting(
        256, "longest answer in tokens; one that is cut off counts only where the rest could change nothing", ge=1, effect=_REQUEST,
        aliases=("max_new_tokens", "max_completion_tokens", "max_gen_toks"),
    )  # fmt: skip
    temperature: float = setting(0.0, "0: the most probable answer; above it is drawn, by the step's seed", ge=0, le=2, effect=_REQUEST)
    concurrency: int = setting(
        16, "questions under way at a time", ge=1, effect={"call": "concurrent.futures:ThreadPoolExecutor.__init__"},
        aliases=("num_concurrent",),
    )  # fmt: skip
    timeout: float = setting(300.0, "seconds to wait for an answer", gt=0, effect=_REQUEST)
    max_retries: int = setting(
        4, "how often to ask again after the server failed, each time waiting twice as long", ge=0,
        effect={"scene": "an endpoint that fails at first"}, aliases=("retries",),
    )  # fmt: skip
    model: str = setting(
        "", "of an endpoint: which of its models is asked: the name of an adapter that is served beside its base; empty: the base",
        examples=("polite",), effect=_REQUEST,
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.template.count(QUESTION) != 1:
            raise UserError("TS-EVAL-002", "the template has no place for the question, or several", why=f"It is {self.template!r:.80}.",
                            fix="Write {question} once where the question is to stand.")  # fmt: skip


@dataclass(frozen=True)
class AskingSettings(RequestSettings):
    """Of questions with answers, some of which may be examples."""

    num_fewshot: int = setting(
        0, "the first rows of the data are examples before each question, and are no questions themselves", ge=0, le=64, examples=(2,)
    )


@dataclass(frozen=True)
class GenerationSettings(AskingSettings):
    metrics: list[str] = setting(["exact_match"], f"what is measured, the main one first: {', '.join(METRICS)}", examples=(["chrf"],))
    extract: str = setting(
        "", "regular expression whose last match is the answer (its first group, where it has one); empty: all of it",
        examples=(r"(\w+)\W*$",),
    )  # fmt: skip
    pattern: str = setting(
        r"\S", "of the metric regex: what stands in an answer that is right", effect={"with": {"metrics": ["regex"]}}, examples=(r"\d",)
    )
    schema: dict[str, Any] = setting(
        {}, "of the metric json_schema: what an answer fits that is right; empty: any JSON", effect={"with": {"metrics": ["json_schema"]}},
        examples=({"type": "string"},),
    )  # fmt: skip
    tokenize: str = setting(
        "13a", "of the metric bleu: sacrebleu's tokenizer", choices=("13a", "intl", "zh", "char", "none"),
        effect={"with": {"metrics": ["bleu"]}},
    )  # fmt: skip

    max_not_scored: float = setting(0.05, NOT_SCORED, ge=0, le=1, effect={"with": {"extract": r"\d+"}}, examples=(0.0,))

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [name for name in self.metrics if name not in METRICS]
        if unknown or not self.metrics or len({*self.metrics}) < len(self.metrics):
            raise UserError("TS-EVAL-002", "`metrics` is no list of metrics, each once", why=f"It is {self.metrics}.",
                            fix=f"Choose among {', '.join(METRICS)}.")  # fmt: skip
