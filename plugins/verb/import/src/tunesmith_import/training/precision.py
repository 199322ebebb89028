"""The dtype that is computed in."""

from __future__ import annotations

from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft

TO = "settings.dtype"


def precision(account: Account, draft: Draft, otherwise: str = "float32") -> None:
    """
    Args:
        otherwise: where neither `bf16` nor `fp16` is on.
    """
    bf16, fp16 = account.true("bf16"), account.true("fp16")
    if bf16:
        account.skip("fp16", "bf16 is on")
        draft.set(TO, "bfloat16", account.take("bf16", TO))
    elif fp16:
        account.skip("bf16", "it is off")
        draft.set(TO, "float16", account.take("fp16", TO))
    else:
        origins = [account.take(name, TO) for name in ("bf16", "fp16") if account.given(name)]
        draft.set(TO, otherwise, *origins, note="" if origins else "neither bf16 nor fp16 is on")
