"""The learning rate's schedule and its warm-up."""

from __future__ import annotations

from tunesmith_import.api.contract import Options
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.training.batch import total_steps

#: transformers' name -> ours. Its `constant` has no warm-up.
SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant", "constant_with_warmup": "constant"}
_USUAL = 0.03  #: the warm-up's share where theirs can't be told
WARMUP, TO = "warmup_ratio", "settings.warmup_ratio"


def schedule(
    account: Account,
    draft: Draft,
    options: Options,
    name: str = "lr_scheduler_type",
    ratio: str = "warmup_ratio",
    steps: str = "warmup_steps",
) -> None:
    said = account.text(name, "linear")
    if said in SCHEDULES:
        draft.set("settings.lr_scheduler_type", SCHEDULES[said], account.take(name, "settings.lr_scheduler_type"))
    else:
        account.refuse(name, "there is no such schedule", "cosine, linear or constant; cosine stands there now")
        draft.set("settings.lr_scheduler_type", "cosine", note="in place of a schedule that is not here")
    if said == "constant":
        for key in (ratio, steps):
            account.skip(key, "the schedule `constant` has no warm-up there")
        draft.set(TO, 0, note="the schedule `constant` has no warm-up there")
        return
    warmup(account, draft, options, ratio, steps)


def warmup(account: Account, draft: Draft, options: Options, ratio: str, steps: str) -> None:
    """Steps go before a share, and a number of steps below 1 is a share, as in transformers."""
    number = account.number(steps, 0)
    if not number:
        account.skip(steps, "nothing is given")
        draft.set(TO, account.number(ratio, 0), account.take(ratio, TO))
        return
    account.skip(ratio, "the warm-up's steps go before it there")
    if number < 1:
        draft.set(TO, number, account.take(steps, TO))
    elif total := total_steps(draft, options):
        share = min(1.0, float(f"{max(0.0, (number - 0.5) / total):.6g}"))
        draft.set(TO, share, account.take(steps, TO), note=f"{number} of {total} steps")
    else:
        because = "the warm-up is a share of the steps here, and how many there are is not known without the rows"
        account.refuse(steps, because, "say how many rows there are: --rows N")
        draft.set(TO, _USUAL, note="in place of a warm-up in steps")
