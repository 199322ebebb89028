"""Settings of the reward `model`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

_SERVED = {"scene": "a reward model behind an endpoint"}


@dataclass(frozen=True)
class ModelRewardSettings:
    path: str = setting("", "folder of a reward model (model/hf with the role reward), which is computed here", examples=("nowhere",))
    url: str = setting(
        "", "base of the API of a server that holds one, in place of `path`", effect=_SERVED, examples=("http://127.0.0.1:9/v1",)
    )
    model: str = setting("", "of `url`: which model there; empty: the first that it lists", effect=_SERVED, examples=("other",))
    max_length: int = setting(4096, "of `path`: longest conversation in tokens; a longer one is unscored", ge=2, examples=(2,))
    concurrency: int = setting(16, "of `url`: completions that are asked about at a time", ge=1, effect=_SERVED)
    timeout: float = setting(60.0, "of `url`: seconds to wait for a score", gt=0, effect=_SERVED, examples=(0.2,))
    max_retries: int = setting(
        2, "of `url`: how often to ask again after the server failed, each time waiting twice as long", ge=0, effect=_SERVED, examples=(0,)
    )
