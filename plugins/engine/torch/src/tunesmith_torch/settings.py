"""Settings of the verbs `train` and `merge`. Standard library and contracts only: the manifest is made from them."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

_BOUNDED = "a forward pass is bounded by tokens, `max_tokens_per_microbatch`; `batch_size` is the whole batch of an optimizer step"
_BATCHES = {
    "per_device_train_batch_size": "`batch_size` is the whole batch of an optimizer step: per_device_train_batch_size x "
    "gradient_accumulation_steps x processes",
    "gradient_accumulation_steps": _BOUNDED,
    "micro_batch_size": _BOUNDED,
}
AUTO = "auto"
MEDIA = "rows with a picture, a sound and a video"
TOKENS = 4096  # in one forward pass, where nothing is known that speaks for less
USUAL = {"max_tokens_per_microbatch": TOKENS, "gradient_checkpointing": False}  # for `auto`, where the plan knows nothing of the model
_MAX_LENGTH = ("max_seq_length", "max_seq_len", "cutoff_len")


@dataclass(frozen=True)
class TrainSettings:
    """How long, how fast and how carefully to train. A batch is `batch_size` rows (for pairs: pairs), on however many processes."""

    num_train_epochs: float = setting(1.0, "how often to go through the data", gt=0, aliases=("epochs", "num_epochs"))
    max_steps: int = setting(0, "stop after this many optimizer steps; 0: when the epochs are over", ge=0, aliases=("max_train_steps",))
    batch_size: int = setting(
        8, "rows per optimizer step, over all processes together", ge=1, aliases=("train_batch_size", "global_batch_size"), unlike=_BATCHES,
    )  # fmt: skip
    max_tokens_per_microbatch: int | str = setting(
        AUTO, "most tokens in one forward pass: less needs less memory and gives the same result. auto: as many as fit with a margin; the "
        "plan says how many", ge=1, pattern="^auto$",
    )  # fmt: skip
    learning_rate: float = setting(2e-4, "highest learning rate", gt=0, aliases=("lr",))
    lr_scheduler_type: str = setting(
        "auto", "how the rate falls to zero after the warm-up; auto: as the optimizer asks, usually cosine. lr_range_test: it rises from a "
        "hundred-thousandth of `learning_rate`, without a warm-up, for `tunesmith tune --find-lr`",
        choices=("auto", "cosine", "linear", "constant", "lr_range_test"), aliases=("lr_scheduler",),
    )  # fmt: skip
    warmup_ratio: float = setting(
        0.03, "share of the steps in which the rate rises to its highest", ge=0, le=1, aliases=("lr_warmup_ratio",),
        unlike={"warmup_steps": "the warm-up is a share of the steps, `warmup_ratio`"},
    )  # fmt: skip
    max_grad_norm: float = setting(1.0, "clip the gradients to this global norm; 0: don't", ge=0, aliases=("gradient_clipping",))
    max_length: int = setting(2048, "longest sequence in tokens", ge=2, aliases=_MAX_LENGTH)
    truncation: str = setting(
        "auto", "a row that is longer: auto truncates single sequences, cuts documents into pieces and drops pairs",
        choices=("auto", "truncate", "drop", "error"), effect={"with": {"max_length": 32}},
    )  # fmt: skip
    video_maxlen: int = setting(
        8, "most pictures that are taken of a video, evenly from its first to its last", ge=1, effect={"scene": MEDIA}, aliases=("nframes",)
    )
    video_fps: float = setting(
        0.0, "pictures that are taken of each second of a video, `video_maxlen` at most; 0: that many, however long it is", ge=0,
        effect={"scene": MEDIA}, aliases=("fps",),
    )  # fmt: skip
    image_max_pixels: int = setting(
        0,
        "pictures with more pixels, those of videos too, are made smaller; 0: none",
        ge=0,
        effect={"scene": MEDIA},
        aliases=("max_pixels",),
    )
    audio_max_seconds: float = setting(0.0, "longer sounds are refused; 0: none", ge=0, effect={"scene": MEDIA})
    dtype: str = setting(
        "auto", "dtype to compute in; what trains is kept in float32. auto: bfloat16 where the device has it natively, else float16 "
        "on GPUs that have that (losses are then scaled), else float32",
        choices=("auto", "float32", "bfloat16", "float16"), aliases=("precision", "torch_dtype"),
        unlike={"bf16": "write `dtype: bfloat16`", "fp16": "write `dtype: float16`"},
    )  # fmt: skip
    precompute_ref_log_probs: bool = setting(
        False, "compute the reference's log-probabilities of all rows once, before training, and keep them for other runs of these rows: "
        "no epoch makes a pass of the reference",
    )  # fmt: skip
    deterministic: bool = setting(
        True, "use kernels that give the same bits each time; false: the fastest, so that a run on a GPU can't be repeated bit for bit",
        effect={"call": "torch:use_deterministic_algorithms"},
    )  # fmt: skip
    gradient_checkpointing: bool | str = setting(
        AUTO, "compute activations twice instead of keeping them: less memory, a third slower. auto: where no useful micro-batch fits "
        "otherwise; the plan says so", pattern="^auto$",
        effect={"call": "torch.utils.checkpoint:checkpoint"}, aliases=("activation_checkpointing",),
    )  # fmt: skip
    validation_split: float = setting(
        0.0, "share of the rows to hold out for validation, in place of a `validation` file", ge=0, le=0.5,
        aliases=("val_size", "split_dataset_ratio"),
    )  # fmt: skip
    eval_steps: int = setting(
        0, "steps between two validations; 0: at the end of each epoch", ge=0, effect={"with": {"validation_split": 0.25}},
        aliases=("eval_interval",),
    )  # fmt: skip
    load_best_model_at_end: bool = setting(
        True, "save the parameters with the lowest validation loss, in a run with validation; false: those after the last step",
        effect={"with": {"validation_split": 0.25, "eval_steps": 1, "learning_rate": 0.5}},
    )  # fmt: skip
    early_stopping_patience: int = setting(
        0, "stop after this many validations without a lower validation loss; 0: never", ge=0,
        effect={"with": {"validation_split": 0.25, "eval_steps": 1, "learning_rate": 0.5}}, aliases=("patience",),
    )  # fmt: skip
    early_stopping_threshold: float = setting(
        0.0, "by how much a validation loss has to be lower to count for `early_stopping_patience`", ge=0,
        effect={"with": {"validation_split": 0.25, "eval_steps": 1, "early_stopping_patience": 3}}, aliases=("min_delta",),
    )  # fmt: skip
    sample_prompts: list[str] = setting(
        [], "what the model is asked before the first step and while it trains; its likeliest answers are shown, and saved in "
        "`completions.jsonl`", effect={"with": {"sample_steps": 1, "sample_prompts": ["What is a plugin?"]}},
    )  # fmt: skip
    sample_steps: int = setting(
        0, "steps between two answers to `sample_prompts`; 0: at the end of each epoch", ge=0,
        effect={"with": {"sample_prompts": ["What is a plugin?"]}},
    )  # fmt: skip
    sample_max_tokens: int = setting(
        64, "longest of these answers in tokens", ge=1, le=1024,
        effect={"with": {"sample_steps": 1, "sample_prompts": ["What is a plugin?"]}},
    )  # fmt: skip
    save_steps: int = setting(200, "steps between checkpoints; 0: only by time", ge=0, aliases=("save_interval",))
    save_seconds: float = setting(
        60.0, "seconds after which a checkpoint is due anyway; 0: only by steps", ge=0, effect={"with": {"save_steps": 0}}
    )
    save_time_share: float = setting(0.05, "most of the time that checkpoints may take: beyond it they are made less often", gt=0, le=1)
    save_total_limit: int = setting(2, "how many checkpoints to keep while training", ge=1)
    logging_steps: int = setting(1, "steps between points of the metrics", ge=1, aliases=("log_interval",))

    def __post_init__(self) -> None:
        """What the plan knew nothing of is what is usual: whoever computes with these settings finds numbers."""
        for name, value in USUAL.items():
            if getattr(self, name) == AUTO:
                object.__setattr__(self, name, value)


@dataclass(frozen=True)
class MergeSettings:
    dtype: str = setting(
        "auto", "dtype to store; auto: the base model's", choices=("auto", "float32", "bfloat16", "float16"), aliases=("torch_dtype",)
    )


@dataclass(frozen=True)
class PreviewSettings:
    rows: list[int] = setting([1], "numbers of the rows to show, from 1")
    max_length: int = setting(2048, "longest sequence in tokens that training would take", ge=2, aliases=_MAX_LENGTH)
    scan: int = setting(1000, "rows whose length is taken, from the first on", ge=1)
