"""What a user may set of a server, whichever backend serves."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class ExpectSettings:
    """The load that is expected: engines are chosen, set up and held against it in the plan. All 0: none is told."""

    concurrency: int = setting(0, "requests at the same time", ge=0, le=65536)
    prompt: int = setting(0, "tokens of the longest prompts that are common; 0: 512, where anything is expected", ge=0, le=2**24)
    answer: int = setting(0, "tokens of the longest answers that are common; 0: 256, where anything is expected", ge=0, le=2**24)


@dataclass(frozen=True)
class ServeSettings:
    host: str = setting("127.0.0.1", "address to listen on")
    port: int = setting(0, "port to listen on; 0: any free one", ge=0, le=65535)
    name: str = setting("", "the model's name in requests; empty: the pipeline's name", aliases=("served_model_name",))
    start_timeout: float = setting(
        0.0, "seconds that a program of its own may take to be up; 0: as long as its plugin gives it", ge=0,
        effect={"scene": "an engine that is not up in time"},
    )  # fmt: skip
    restarts: int = setting(
        -1, "how often such a program is started again when it dies, within ten minutes; -1: as its plugin says", ge=-1,
        effect={"scene": "an engine that dies"},
    )  # fmt: skip
    shutdown_grace: float = setting(
        30.0, "seconds that running requests get to end when the server is stopped; then they are ended with an error", ge=0, le=86400,
        effect={"scene": "an engine that is stopped", "call": "subprocess:Popen.wait"},
    )  # fmt: skip
    allowed_hosts: list[str] = setting(
        [], "names that requests may be addressed to beside this machine's own, where the server listens on this machine alone",
        examples=(["llm.example.com"],),
    )  # fmt: skip
    expect: ExpectSettings = setting(
        ExpectSettings(), "the load that is expected: with `auto` the planner compares engines and settings for it",
        examples=({"concurrency": 32, "prompt": 512, "answer": 256},), effect={"scene": "an expected load"},
    )  # fmt: skip
    updatable: bool = setting(
        False, "take weights while it serves, for a training step that names this one as its `sampler`",
        effect={"scene": "an engine that takes weights"},
    )  # fmt: skip
