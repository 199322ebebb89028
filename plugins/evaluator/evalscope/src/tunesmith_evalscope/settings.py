"""Settings of the evaluator `evalscope`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_generation.api import NOT_SCORED

_REQUEST = {"call": "openai.resources.chat.completions:Completions.create"}


@dataclass(frozen=True)
class EvalScopeSettings:
    benchmark: str = setting(
        "", "what is asked of a row and how it is scored: the name of a benchmark of EvalScope's; empty: what suits the rows",
        examples=("gsm8k",), effect={"call": "evalscope.api.registry:get_benchmark"},
    )  # fmt: skip
    subset: str = setting(
        "", "of a benchmark with several subsets: the one that the rows are of", examples=("ARC-Easy",),
        effect={"call": "evalscope.api.registry:get_benchmark"},
    )  # fmt: skip
    num_fewshot: int = setting(
        0, "the first rows of the data are examples before each question, and are no questions themselves", ge=0, le=64, examples=(2,),
        aliases=("few_shot_num",),
    )  # fmt: skip
    prompt_template: str = setting(
        "", "what a question is put into, as EvalScope writes it: {question}, of choices {choices} and {letters}; empty: the benchmark's",
        examples=("{question}\n{choices}\nOne of {letters}, as 'ANSWER: [LETTER]'.",),
    )  # fmt: skip
    system: str = setting("", "system message before questions that have none", examples=("Answer in one word.",), effect=_REQUEST,
                          aliases=("system_prompt",))  # fmt: skip
    max_tokens: int = setting(
        512, "longest answer in tokens; one that is cut off is not scored", ge=1, effect=_REQUEST,
        aliases=("max_new_tokens", "max_completion_tokens", "max_gen_toks"),
    )  # fmt: skip
    temperature: float = setting(0.0, "0: the most probable answer; above it is drawn, by the step's seed", ge=0, le=2, effect=_REQUEST)
    concurrency: int = setting(
        16, "questions under way at a time", ge=1, effect={"call": "concurrent.futures:ThreadPoolExecutor.__init__"},
        aliases=("num_concurrent", "eval_batch_size"),
    )  # fmt: skip
    timeout: float = setting(300.0, "seconds to wait for an answer", gt=0, effect=_REQUEST)
    max_retries: int = setting(
        4, "how often to ask again after the server failed", ge=0, effect={"scene": "an endpoint that fails at first"}, aliases=("retries",)
    )
    model: str = setting(
        "", "of an endpoint: which of its models is asked: the name of an adapter that is served beside its base; empty: the base",
        examples=("polite",), effect=_REQUEST,
    )  # fmt: skip
    max_not_scored: float = setting(0.05, NOT_SCORED, ge=0, le=1, effect={"call": "tunesmith_statistics:Counts.check"}, examples=(0.0,))
