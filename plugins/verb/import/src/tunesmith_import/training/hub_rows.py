"""Rows that lie on a hub: the pipeline names a file for them, and says that it has to be fetched."""

from __future__ import annotations

from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft


def hub_rows(account: Account, draft: Draft, key: str, name: str) -> str:
    """The file that `data` names in place of a dataset of a hub; the key is refused."""
    short = name.replace(":", "/").rpartition("/")[2] or "train"
    account.refuse(key, "datasets of hubs are not fetched", "fetch it, and name its file in `data` or with --data FILE")
    draft.remarks.append(f"the rows of `{name}` are not here: fetch them into {short}.jsonl, or name their file in `data`")
    return f"{short}.jsonl"
