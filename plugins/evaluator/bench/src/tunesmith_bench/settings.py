"""Settings of the evaluator `load-test`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting

_SENT = {"call": "aiohttp.client:ClientSession.post"}
_NOTED = {"scene": "an endpoint that notes when it is asked"}


@dataclass(frozen=True)
class LoadSettings:
    concurrency: int = setting(
        8,
        "requests under way at all times, where `rate` is 0",
        ge=1,
        le=10_000,
        examples=(6,),
        effect=_NOTED,
        aliases=("num_concurrent",),
    )
    rate: float = setting(
        0.0, "requests a second, whether or not the server keeps up; 0: `concurrency`", ge=0, le=10_000, examples=(40.0,), effect=_NOTED
    )
    arrival: str = setting(
        "poisson",
        "how requests arrive at a rate",
        choices=("poisson", "constant"),
        effect=_NOTED | {"with": {"rate": 20.0, "requests": 60}},
    )
    requests: int = setting(100, "measured requests of a run", ge=1, examples=(40,), effect=_NOTED)
    runs: int = setting(3, "runs; fewer than three are marked", ge=1, examples=(2,), effect=_NOTED)
    warm_up: int = setting(
        0, "answers after which a warm-up ends at the latest; 0: ten windows of its test", ge=0, examples=(30,), effect=_NOTED
    )
    prompt_tokens: str = setting(
        "128", "length of made-up prompts: 128, normal:128:32, lognormal:128:64", examples=("normal:64:16",),
        effect=_SENT,
    )  # fmt: skip
    output_tokens: str = setting("64", "longest answers, likewise", examples=("normal:16:4",), effect=_SENT)
    shared_prefix: float = setting(0.0, "share of made-up prompts that all have in common", ge=0, le=1, effect=_NOTED)
    ignore_eos: bool = setting(False, "ask the server to go on to the longest answer", effect=_NOTED)
    temperature: float = setting(0.0, "of the answers", ge=0, effect=_NOTED)
    slo: str = setting("", "bounds that goodput counts within: ttft=300ms,itl=50ms,e2e=5s", examples=("ttft=300ms,itl=50ms",))
    timeout: float = setting(600.0, "seconds to wait for an answer", gt=0, effect={"call": "aiohttp.client:ClientSession.__init__"})
    model: str = setting(
        "", "which of its models is asked: the name of an adapter that is served beside its base; empty: the base",
        examples=("polite",), effect=_NOTED,
    )  # fmt: skip
