"""Settings of the evaluators."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class ScoresSettings:
    max_length: int = setting(
        2048, "longest input in tokens; rows with a longer one are left out, and the log says how many", ge=2,
        aliases=("max_seq_length", "max_seq_len", "cutoff_len"),
    )  # fmt: skip
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


@dataclass(frozen=True)
class ProcessRewardSettings(ScoresSettings):
    threshold: float = setting(
        0.5, "a step counts as wrong where the probability that it is right is below this", gt=0, lt=1, examples=(0.95,)
    )
