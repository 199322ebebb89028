"""Optimizers by transformers' names."""

from __future__ import annotations

from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft

OPTIMIZERS = {
    **dict.fromkeys(
        ("adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_apex_fused", "adamw_torch_xla", "adamw_torch_npu_fused", "adamw",
         "paged_adamw_32bit", "paged_adamw"), "adamw"),
    **dict.fromkeys(("adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit"), "adamw-8bit"),
    **dict.fromkeys(("lion_32bit", "paged_lion_32bit", "lion"), "lion"),
    **dict.fromkeys(("lion_8bit", "paged_lion_8bit"), "lion-8bit"),
    **dict.fromkeys(("galore_adamw", "galore_adamw_layerwise"), "galore"),
    **dict.fromkeys(("apollo_adamw", "apollo_adamw_layerwise"), "apollo"),
    "adafactor": "adafactor", "sgd": "sgd", "schedule_free_adamw": "schedule-free", "muon": "muon",
}  # fmt: skip
_PAGED = "the driver pages memory by itself where there is too little"


def optimizer(account: Account, draft: Draft, key: str = "optim") -> None:
    said = account.text(key, "adamw_torch")
    name = OPTIMIZERS.get(said)
    if name is None:
        account.refuse(key, "there is no such optimizer", "one of `tunesmith plugin list optimizer`; adamw stands there now")
        draft.set("optimizer", "adamw", note="in place of an optimizer that is not here")
        return
    origin = account.take(key, "optimizer")
    draft.set("optimizer", name, origin, note=_PAGED if said.startswith("paged") else "")
    if name == "sgd":
        draft.set("optimizer.momentum", 0, note="none there")
    if name in ("lion", "lion-8bit"):  # AdamW's, in transformers, where nothing is given
        for path, theirs, usual in (("optimizer.beta1", "adam_beta1", 0.9), ("optimizer.beta2", "adam_beta2", 0.999)):
            draft.set(path, account.number(theirs, usual), account.take(theirs, path))
