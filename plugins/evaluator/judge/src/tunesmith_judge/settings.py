"""Settings of the evaluator and of the reward `judge`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import setting
from tunesmith_generation.api import NOT_SCORED, AskingSettings

HERE = ("localhost", "127.0.0.1", "::1")
_REQUEST = {"call": "urllib.request:OpenerDirector.open"}


def check_url(url: str) -> None:
    """
    Raises:
        UserError: TS-EVAL-003 where it is no URL that a question may be sent to.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise UserError("TS-EVAL-003", "the judge's `url` is no base of an API", why=f"It is {url!r:.80}.",
                        fix="Write it as http://127.0.0.1:9000/v1.")  # fmt: skip
    if parts.scheme == "http" and parts.hostname not in HERE:
        raise UserError("TS-EVAL-003", "the judge is on another machine and its `url` begins with http://",
                        why="Questions and answers would be sent as they are.",
                        fix="Serve it on this machine with `tunesmith serve remote`, which holds the key, or ask by https.")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class JudgeSettings(AskingSettings):
    url: str = setting(help="base of the judge's OpenAI-compatible API", effect=_REQUEST, examples=("http://127.0.0.1:9/v1",))
    judge_model: str = setting("", "which model is the judge there; empty: the first that it lists", examples=("other",), effect=_REQUEST)
    mode: str = setting(
        "rubric", "rubric: a mark for each answer; pairwise: whether it is better than the row's own, asked in both orders",
        choices=("rubric", "pairwise"),
    )  # fmt: skip
    rubric: str = setting("Is it correct, complete and to the point?", "what the judge looks at", effect=_REQUEST)
    scale: int = setting(10, "of the mode rubric: the best mark; 1 is the worst", ge=2, le=100, effect=_REQUEST)
    reference: bool = setting(True, "of the mode rubric: whether the judge sees the row's own answer", effect=_REQUEST)
    judge_max_tokens: int = setting(
        512, "longest judgement in tokens; one that is cut off is none", ge=1, effect=_REQUEST,
    )  # fmt: skip

    max_not_scored: float = setting(0.05, NOT_SCORED, ge=0, le=1, effect={"with": {"judge_max_tokens": 12}}, examples=(0.0,))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_url(self.url)


@dataclass(frozen=True, kw_only=True)
class JudgeRewardSettings:
    url: str = setting(help="base of the judge's OpenAI-compatible API", effect=_REQUEST, examples=("http://127.0.0.1:9/v1",))
    judge_model: str = setting("", "which model is the judge there; empty: the first that it lists", examples=("other",), effect=_REQUEST)
    rubric: str = setting("Is it correct, complete and to the point?", "what the judge looks at", effect=_REQUEST)
    scale: int = setting(10, "the best mark; 1 is the worst", ge=2, le=100, effect=_REQUEST)
    column: str = setting("", "column of the row with a right answer that the judge sees; empty: it sees none", examples=("answer",),
                          effect=_REQUEST)  # fmt: skip
    judge_max_tokens: int = setting(512, "longest judgement in tokens; one that is cut off is none", ge=1, effect=_REQUEST)
    concurrency: int = setting(
        8, "completions that are judged at a time", ge=1, effect={"call": "concurrent.futures:ThreadPoolExecutor.__init__"}
    )
    timeout: float = setting(60.0, "seconds to wait for a judgement", gt=0, effect=_REQUEST)
    max_retries: int = setting(
        2, "how often to ask again after the judge's server failed, each time waiting twice as long", ge=0,
        effect={"scene": "an endpoint that fails at first"},
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_url(self.url)
