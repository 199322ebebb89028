"""Settings of the verbs `train` and `merge`. Standard library and contracts only: the manifest is made from them."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class TrainSettings:
    """How long, how fast and how carefully to train. A batch is `batch_size` rows (for pairs: pairs), on however many processes."""

    epochs: float = setting(1.0, "how often to go through the data", gt=0)
    max_steps: int = setting(0, "stop after this many optimizer steps; 0: when the epochs are over", ge=0)
    batch_size: int = setting(8, "rows per optimizer step, over all processes together", ge=1)
    micro_tokens: int = setting(4096, "most tokens in one forward pass: less needs less memory and gives the same result", ge=1)
    learning_rate: float = setting(2e-4, "highest learning rate", gt=0)
    schedule: str = setting(
        "auto", "how the rate falls to zero after the warm-up; auto: as the optimizer asks, usually cosine",
        choices=("auto", "cosine", "linear", "constant"),
    )  # fmt: skip
    warmup: float = setting(0.03, "share of the steps in which the rate rises to its highest", ge=0, le=1)
    max_grad_norm: float = setting(1.0, "clip the gradients to this global norm; 0: don't", ge=0)
    max_length: int = setting(2048, "longest sequence in tokens", ge=2)
    overlong: str = setting(
        "auto", "a row that is longer: auto truncates single sequences and drops pairs", choices=("auto", "truncate", "drop", "error"),
        effect={"with": {"max_length": 32}},
    )  # fmt: skip
    precision: str = setting(
        "auto", "numbers to compute in; what trains is kept in float32. auto: bfloat16 where the device has it natively",
        choices=("auto", "float32", "bfloat16"),
    )  # fmt: skip
    gradient_checkpointing: bool = setting(
        False, "compute activations twice instead of keeping them: less memory, a third slower",
        effect={"call": "torch.utils.checkpoint:checkpoint"},
    )  # fmt: skip
    validation_share: float = setting(0.0, "share of the rows to hold out and judge by, where no `validation` file is given", ge=0, le=0.5)
    validate_every: int = setting(
        0, "steps between two validations; 0: at the end of each epoch", ge=0, effect={"with": {"validation_share": 0.25}}
    )
    keep: str = setting(
        "best", "what of a run with validation is saved: where the validation loss was least, or the last", choices=("best", "last"),
        effect={"with": {"validation_share": 0.25, "validate_every": 1, "learning_rate": 0.5}},
    )  # fmt: skip
    patience: int = setting(
        0, "stop after this many validations without a lower validation loss; 0: never", ge=0,
        effect={"with": {"validation_share": 0.25, "validate_every": 1, "learning_rate": 0.5}},
    )  # fmt: skip
    min_delta: float = setting(
        0.0, "by how much a validation loss has to be lower to count for `patience`", ge=0,
        effect={"with": {"validation_share": 0.25, "validate_every": 1, "patience": 3}},
    )  # fmt: skip
    checkpoint_every: int = setting(200, "steps between checkpoints; 0: only by time", ge=0)
    checkpoint_seconds: float = setting(
        60.0, "seconds after which a checkpoint is due anyway; 0: only by steps", ge=0, effect={"with": {"checkpoint_every": 0}}
    )
    checkpoint_share: float = setting(0.05, "most of the time that checkpoints may take: beyond it they are made less often", gt=0, le=1)
    keep_checkpoints: int = setting(2, "how many checkpoints to keep while training", ge=1)
    log_every: int = setting(1, "steps between points of the metrics", ge=1)


@dataclass(frozen=True)
class MergeSettings:
    dtype: str = setting("auto", "numbers to store; auto: the base model's", choices=("auto", "float32", "bfloat16", "float16"))


@dataclass(frozen=True)
class PreviewSettings:
    rows: list[int] = setting([1], "numbers of the rows to show, from 1")
    max_length: int = setting(2048, "longest sequence in tokens that training would take", ge=2)
    scan: int = setting(1000, "rows whose length is taken, from the first on", ge=1)
