"""Settings of the evaluator `perplexity`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class PerplexitySettings:
    max_length: int = setting(
        2048,
        "longest row in tokens; longer ones are cut, and the log says how many",
        ge=2,
        aliases=("max_seq_length", "max_seq_len", "cutoff_len"),
    )
    max_tokens_per_microbatch: int = setting(
        4096, "most tokens in one forward pass; changes speed and memory, not the result", ge=1,
        effect={"call": "torch.nn.functional:embedding"},
    )  # fmt: skip
    dtype: str = setting(
        "float32",
        "dtype to compute in; auto: those of the model's files, where the device computes in them natively",
        choices=("float32", "bfloat16", "auto"),
        aliases=("precision", "torch_dtype"),
    )
    concurrency: int = setting(
        8, "of an endpoint: rows under way at a time", ge=1,
        effect={"scene": "an endpoint", "call": "concurrent.futures:ThreadPoolExecutor.__init__"}, aliases=("num_concurrent",),
    )  # fmt: skip
    timeout: float = setting(
        600.0, "of an endpoint: seconds to wait for a row", gt=0,
        effect={"scene": "an endpoint", "call": "urllib.request:OpenerDirector.open"},
    )  # fmt: skip
    max_retries: int = setting(
        8, "of an endpoint: how often to ask again after it failed, each time waiting twice as long, 16 s at most", ge=0,
        effect={"scene": "an endpoint that fails at first"}, aliases=("retries",),
    )  # fmt: skip
    model: str = setting(
        "", "of an endpoint: which of its models is asked: the name of an adapter that is served beside its base; empty: the base",
        examples=("polite",), effect={"scene": "an endpoint", "call": "urllib.request:OpenerDirector.open"},
    )  # fmt: skip
