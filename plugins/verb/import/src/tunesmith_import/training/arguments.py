"""All of transformers' TrainingArguments that belong together, in the order in which they depend on one another."""

from __future__ import annotations

from tunesmith_import.api.contract import Options
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.training.batch import batch, length
from tunesmith_import.training.optimizer import optimizer
from tunesmith_import.training.precision import precision
from tunesmith_import.training.schedule import schedule
from tunesmith_import.training.strategy import strategy
from tunesmith_import.training.trackers import trackers
from tunesmith_import.training.validation import validation


def training_arguments(account: Account, draft: Draft, options: Options, dtype: str = "float32") -> None:
    """
    Args:
        dtype: where neither `bf16` nor `fp16` is on.
    """
    batch(account, draft, options)
    length(account, draft, options)
    schedule(account, draft, options)
    optimizer(account, draft)
    precision(account, draft, dtype)
    validation(account, draft)
    trackers(account, draft)
    strategy(account, draft, options)
    for key in ("group_by_length", "train_sampling_strategy"):
        account.skip(key, "nothing is padded, so rows need no sorting by length")
