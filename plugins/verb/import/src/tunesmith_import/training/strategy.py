"""Processes and how they share the work: DeepSpeed, FSDP, DDP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith_import.api.contract import Options
from tunesmith_import.configuration.configuration import Entry
from tunesmith_import.configuration.file import text_of
from tunesmith_import.configuration.keys_file import entries_of
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.training.batch import processes
from tunesmith_import.training.model_source import found

#: of the JSON's `zero_optimization`, what is a setting of the strategy
_ZERO = (
    "reduce_bucket_size", "allgather_bucket_size", "overlap_comm", "zero_hpz_partition_size", "stage3_prefetch_bucket_size",
    "stage3_param_persistence_threshold", "stage3_max_live_parameters", "sub_group_size",
)  # fmt: skip
_PLACES = {
    "zero_optimization.offload_optimizer.device": "strategy.offload_optimizer",
    "zero_optimization.offload_param.device": "strategy.offload_param",
    "zero_optimization.offload_optimizer.nvme_path": "strategy.nvme_path",
    "zero_optimization.offload_param.nvme_path": "strategy.nvme_path",
}  # fmt: skip
_DERIVED = "it follows from the step's own settings"
_OF_THE_STEP = (
    "train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "gradient_clipping", "bf16", "fp16", "amp",
    "zero_allow_untested_optimizer", "zero_force_ds_cpu_optimizer", "steps_per_print", "wall_clock_breakdown", "prescale_gradients",
)  # fmt: skip


def strategy(account: Account, draft: Draft, options: Options) -> None:
    number, who = processes(account, options)
    said = account.get("deepspeed")
    if account.below("deepspeed") and (said or len(account.below("deepspeed")) > 1):
        _deepspeed(account, draft, options, number, said)
        for key in (*account.below("fsdp"), *account.below("fsdp_config")):
            account.skip(key, "DeepSpeed divides the model")
    elif fsdp_asked(account):
        _fsdp(account, draft, number)
    else:
        for key in (*account.below("fsdp_config"), *account.below("fsdp"), *account.below("deepspeed")):
            account.skip(key, "nothing is divided there")
        if number > 1:
            draft.set("strategy", "ddp", note=who)
            draft.set("strategy.num_processes", number, note=who)
    if draft.get("strategy") and account.given("ddp_timeout"):
        draft.set("strategy.timeout", float(account.number("ddp_timeout")), account.take("ddp_timeout", "strategy.timeout"))
    account.skip("ddp_timeout", "there is one process") if not draft.get("strategy") else None


def _deepspeed(account: Account, draft: Draft, options: Options, number: int, said: Any) -> None:
    text = str(said or "")
    path = found(text, options) if text else None
    if path is not None and path.is_file():
        account.join({f"deepspeed:{entry.key}": Entry(f"deepspeed:{entry.key}", entry.value, entry.line, path.name)
                      for entry in entries_of(path, text_of(path))})  # fmt: skip
        prefix = "deepspeed:"
    elif text:
        _by_name(account, draft, text, number)
        return
    else:
        prefix = "deepspeed."
    entries = _keys(account, prefix)
    stage = account.get(f"{prefix}zero_optimization.stage", 0)
    origin = account.take("deepspeed", "strategy")
    if stage == 0:
        _ddp(account, draft, number, origin)
        account.take(f"{prefix}zero_optimization.stage", "strategy")
        for key in entries:
            account.skip(key, "ZeRO stage 0 divides nothing")
        return
    draft.set("strategy", "deepspeed", origin)
    draft.set("strategy.num_processes", number)
    draft.set("strategy.stage", stage, account.take(f"{prefix}zero_optimization.stage", "strategy.stage"))
    for key in entries:
        _entry(account, draft, key, key.removeprefix(prefix))


def _keys(account: Account, prefix: str) -> list[str]:
    return [entry.key for entry in account.open() if entry.key.startswith(prefix)]


def _entry(account: Account, draft: Draft, key: str, name: str) -> None:
    value, short = account.get(key), name.removeprefix("zero_optimization.")
    if name == "zero_optimization.stage":
        return
    if value in (None, "auto") or name.partition(".")[0] in _OF_THE_STEP:
        account.skip(key, _DERIVED)
    elif name in _PLACES:
        draft.set(_PLACES[name], value, account.take(key, _PLACES[name]))
    elif short in _ZERO and name != short:
        whole = value if isinstance(value, bool) else int(float(value))
        draft.set(f"strategy.{short}", whole, account.take(key, f"strategy.{short}"))
    elif name.partition(".")[0] in ("optimizer", "scheduler"):
        account.refuse(key, "optimizer and schedule are the step's own", "write them below `optimizer` and `settings`")
    else:
        config = dict(draft.get("strategy.config", {}))
        _put(config, name, value)
        draft.set("strategy.config", config, account.take(key, "strategy.config"))


def _put(config: dict[str, Any], name: str, value: Any) -> None:
    first, _, rest = name.partition(".")
    if rest:
        inner = dict(config.get(first, {}))
        _put(inner, rest, value)
        value = inner
    config[first] = value


def _by_name(account: Account, draft: Draft, text: str, number: int) -> None:
    """A file that is not here, or one of ms-swift's names: ``zero2``, ``ds_z3_offload_config.json``."""
    named = re.search(r"z(?:ero)?_?([0-3])", Path(text).name)
    if not named:
        account.refuse("deepspeed", "the file is not here, and its name says no stage", "put it beside the configuration")
        if number > 1:
            _ddp(account, draft, number)
        return
    origin = account.take("deepspeed", "strategy")
    if named[1] == "0":
        _ddp(account, draft, number, origin)
        return
    draft.set("strategy", "deepspeed", origin)
    draft.set("strategy.num_processes", number)
    draft.set("strategy.stage", int(named[1]), note="by the file's name")
    if "offload" in text:
        draft.set("strategy.offload_optimizer", "cpu", note="by the file's name")
        if named[1] == "3":
            draft.set("strategy.offload_param", "cpu", note="by the file's name")


def _ddp(account: Account, draft: Draft, number: int, *origins: Any) -> None:
    if number > 1:
        draft.set("strategy", "ddp", *origins)
        draft.set("strategy.num_processes", number)


def fsdp_asked(account: Account) -> bool:
    value = account.get("fsdp")
    return bool(value) and value not in ("", "none", False)


_FSDP: Mapping[str, str] = {
    "reshard_after_forward": "strategy.reshard_after_forward", "fsdp_reshard_after_forward": "strategy.reshard_after_forward",
    "offload_params": "strategy.cpu_offload", "fsdp_offload_params": "strategy.cpu_offload",
    "activation_checkpointing": "settings.gradient_checkpointing", "fsdp_activation_checkpointing": "settings.gradient_checkpointing",
}  # fmt: skip


def _fsdp(account: Account, draft: Draft, number: int) -> None:
    words = " ".join(account.names("fsdp"))
    origin = account.take("fsdp", "strategy")
    draft.set("strategy", "fsdp", origin)
    draft.set("strategy.num_processes", number)
    if "shard_grad_op" in words:
        draft.set("strategy.reshard_after_forward", False, origin)
    if "offload" in words:
        draft.set("strategy.cpu_offload", True, origin)
    for key in account.below("fsdp_config"):
        short = key.rpartition(".")[2]
        if (to := _FSDP.get(short)) and account.get(key) is not None:
            value = account.get(key)
            draft.set(to, value if isinstance(value, bool) else str(value).lower() in ("true", "full_shard"), account.take(key, to))
        else:
            account.skip(key, "FSDP2 wraps each layer by itself and saves whole weights")
