"""Who is told of the metrics."""

from __future__ import annotations

from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft

TRACKERS = ("tensorboard", "wandb", "mlflow")
_NAMES = {"wandb": "track.wandb.name", "mlflow": "track.mlflow.run_name"}


def trackers(account: Account, draft: Draft) -> None:
    asked = [name for name in account.names("report_to") if name not in ("none", "None")]
    known = [*TRACKERS] if asked == ["all"] else [name for name in asked if name in TRACKERS]
    if asked != ["all"] and len(known) < len(asked):
        account.refuse("report_to", "there is no such tracker", "tensorboard, wandb or mlflow")
    elif asked == ["all"]:
        account.skip("report_to", "no tracker is named; a pipeline names those that are told, below `track`")
        return
    elif not asked:
        account.skip("report_to", "no tracker is named")
    for name in known:
        draft.set(f"track.{name}", None, account.take("report_to", f"track.{name}") if len(known) == len(asked) else account.take("", ""))
    named = [_NAMES[name] for name in known if name in _NAMES]
    for path in named:
        if account.given("run_name"):
            draft.set(path, account.text("run_name"), account.take("run_name", path))
    if not named:
        account.skip("run_name", "runs are named by the pipeline and the time")
