"""Validation while training."""

from __future__ import annotations

from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft

_KEYS = ("eval_strategy", "evaluation_strategy", "eval_steps", "load_best_model_at_end", "metric_for_best_model")
_LOSS = ("eval_loss", "loss", "validation_loss", "")


def validation(account: Account, draft: Draft) -> None:
    """With no rows to validate on, nothing of it has an effect; the plan would refuse it."""
    if "validation" not in draft.values and not draft.get("settings.validation_split"):
        for key in _KEYS:
            account.skip(key, "there are no rows to validate on")
        return
    strategy = "evaluation_strategy" if account.given("evaluation_strategy") else "eval_strategy"
    if account.text(strategy) == "steps":
        steps = account.get("eval_steps") or account.get("logging_steps", 500)
        origins = [account.take(key, "settings.eval_steps") for key in (strategy, "eval_steps") if account.given(key)]
        draft.set("settings.eval_steps", max(1, int(float(steps))), *origins)
    else:
        account.take(strategy, "settings.eval_steps")
        account.skip("eval_steps", "validation is not by steps there")
        note = (
            "at the end of each epoch"
            if account.text(strategy) == "epoch"
            else "never there; here at the end of each epoch, which changes nothing"
        )
        draft.set("settings.eval_steps", 0, note=note)
    best = account.true("load_best_model_at_end")
    draft.set("settings.load_best_model_at_end", best, account.take("load_best_model_at_end", "settings.load_best_model_at_end"))
    if account.text("metric_for_best_model") in _LOSS or not best:
        account.skip("metric_for_best_model", "the validation loss says which is best")
    else:
        account.refuse("metric_for_best_model", "the validation loss says which is best")
