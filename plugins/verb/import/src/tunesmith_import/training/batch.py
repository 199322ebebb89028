"""Batch, epochs and steps."""

from __future__ import annotations

import math

from tunesmith_import.api.contract import Options
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.training.row_count import rows_of

_VARIABLES = ("num_processes", "NPROC_PER_NODE", "nproc_per_node")


def processes(account: Account, options: Options) -> tuple[int, str]:
    """In how many the tool ran, and who says so."""
    if options.num_processes:
        return options.num_processes, "--num-processes"
    for name in _VARIABLES:
        said = account.configuration.environment.get(name, "")
        if said.isdigit() and int(said):
            return int(said), name
    return 1, ""


def batch(
    account: Account, draft: Draft, options: Options, per_device: str = "per_device_train_batch_size",
    accumulation: str = "gradient_accumulation_steps",
) -> None:  # fmt: skip
    """`batch_size` is the whole batch of an optimizer step, over all processes."""
    number, _ = processes(account, options)
    rows, steps = account.number(per_device, 1), account.number(accumulation, 1)
    note = f"{rows} rows x {steps} steps x {number} processes"
    origins = (account.take(per_device, "settings.batch_size"), account.take(accumulation, "settings.batch_size"))
    draft.set("settings.batch_size", max(1, int(rows * steps * number)), *origins, note=note)


def length(account: Account, draft: Draft, options: Options, epochs: str = "num_train_epochs", steps: str = "max_steps") -> None:
    """How long is trained. There, `max_steps` goes before the epochs and begins the data anew; here, what is first over ends it."""
    most = account.number(steps, -1)
    if most > 0:
        account.skip(epochs, "`max_steps` goes before it there")
        draft.set("settings.max_steps", int(most), account.take(steps, "settings.max_steps"))
        batch_size, rows = draft.get("settings.batch_size", 1), known_rows(draft, options)
        enough = max(1, math.ceil(most * batch_size / rows)) if rows else int(most)
        draft.set("settings.num_train_epochs", enough, note="enough for `max_steps`, which ends it")
        return
    account.skip(steps, "the epochs say how long is trained")
    draft.set("settings.num_train_epochs", account.number(epochs, 1), account.take(epochs, "settings.num_train_epochs"))


def known_rows(draft: Draft, options: Options) -> int:
    """Rows that are trained on; 0: nobody knows."""
    rows = options.rows or rows_of(draft.get("data"), options.written_to)
    return int(rows * (1 - draft.get("settings.validation_split", 0)))


def total_steps(draft: Draft, options: Options) -> int:
    """Optimizer steps of the training; 0: nobody knows."""
    if most := draft.get("settings.max_steps"):
        return int(most)
    rows, batch_size = known_rows(draft, options), draft.get("settings.batch_size", 1)
    return math.ceil(math.ceil(rows / batch_size) * draft.get("settings.num_train_epochs", 1)) if rows else 0
