"""Settings of the evaluator `exact_match`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class ExactMatchSettings:
    match: str = setting("exact", "what makes an answer right: it equals the expected one, or contains it", choices=("exact", "contains"))
    max_tokens: int = setting(
        64,
        "longest answer in tokens",
        ge=1,
        effect={"call": "urllib.request:OpenerDirector.open"},
        aliases=("max_new_tokens", "max_completion_tokens", "max_gen_toks"),
    )
    concurrency: int = setting(
        16,
        "questions under way at a time",
        ge=1,
        effect={"call": "concurrent.futures:ThreadPoolExecutor.__init__"},
        aliases=("num_concurrent",),
    )
    timeout: float = setting(300.0, "seconds to wait for an answer", gt=0, effect={"call": "urllib.request:OpenerDirector.open"})
    max_retries: int = setting(
        4, "how often to ask again after the server failed, each time waiting twice as long", ge=0,
        effect={"scene": "an endpoint that fails at first"}, aliases=("retries",),
    )  # fmt: skip
    model: str = setting(
        "", "of an endpoint: which of its models is asked: the name of an adapter that is served beside its base; empty: the base",
        examples=("polite",), effect={"call": "urllib.request:OpenerDirector.open"},
    )  # fmt: skip
