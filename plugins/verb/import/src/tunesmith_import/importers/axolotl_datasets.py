"""axolotl's `datasets`: files with their types and fields, and what is held out of them."""

from __future__ import annotations

from typing import Any

from tunesmith_import.api.contract import Options
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.training.batch import known_rows
from tunesmith_import.training.hub_rows import hub_rows
from tunesmith_import.training.model_source import found, placed

#: field of a dataset -> our column, by the form of its type
_FIELDS = {
    "field_messages": "messages",
    "field_instruction": "instruction",
    "field_input": "input",
    "field_output": "output",
    "field": "text",
    "field_chosen": "chosen",
    "field_rejected": "rejected",
    "field_prompt": "prompt",
    "field_completion": "completion",
    "field_label": "label",
    "field_system": "system",
    "field_tools": "tools",
}
_READ = {"messages": ("messages", "conversations")}
_SAME = (
    "ds_type",
    "split",
    "shards",
    "shards_idx",
    "preprocess_shards",
    "name",
    "conversation",
    "input_format",
    "trust_remote_code",
    "revision",
)
_TEMPLATES = (
    "chat_template",
    "chat_template_jinja",
    "roles",
    "message_property_mappings",
    "message_field_role",
    "message_field_content",
    "drop_system_message",
    "train_on_eos",
    "train_on_eot",
    "field_thinking",
    "template_thinking_key",
    "split_thinking",
    "message_field_training",
    "message_field_training_detail",
    "format",
    "no_input_format",
    "prompt_format",
    "chosen_format",
    "rejected_format",
    "completion_format",
    "system_prompt",
    "system_format",
)


def rows(account: Account, draft: Draft, options: Options) -> None:
    if options.data:
        draft.set("data", options.data, note="--data")
        for key in (*account.below("datasets"), *account.below("pretraining_dataset")):
            account.skip(key, "--data names other rows")
    else:
        which = "pretraining_dataset" if account.below("pretraining_dataset") else "datasets"
        _carry(account, draft, options, which, "data")
        if "data" not in draft.values:
            draft.remarks.append("the configuration names no rows: write `data`, or say --data FILE")
            draft.set("data", "train.jsonl", note="to be filled in")
    if account.below("test_datasets"):
        _carry(account, draft, options, "test_datasets", "validation")
    size = account.number("val_set_size")
    count = known_rows(draft, options)
    if not size or "validation" in draft.values:
        account.skip("val_set_size", "there is a file to validate on" if size else "it asks for nothing with this value")
    elif size >= 1 and not count:
        account.refuse(
            "val_set_size", "the share of rows that are held out is not known without their number", "say how many there are: --rows N"
        )
    else:
        to = "settings.validation_split"
        draft.set(to, min(round(size / count, 6) if size >= 1 else size, 0.5), account.take("val_set_size", to))
    account.skip("chat_template", "rows are written by the model's own chat template; `tunesmith data preview` shows them")


def _carry(account: Account, draft: Draft, options: Options, key: str, to: str) -> None:
    keys = account.below(key)
    if keys == [key]:  # a name alone
        parts = [_path(account, draft, options, key, account.text(key))]
        draft.set(to, parts[0], account.origin(key))
        return
    numbers = dict.fromkeys(name[: name.index("]") + 1] if "]" in name else key for name in keys)
    parts = [_entry(account, draft, options, prefix, to) for prefix in numbers]
    draft.set(to, parts[0] if len(parts) == 1 else parts, account.origin(f"{next(iter(numbers))}.path"))


def _entry(account: Account, draft: Draft, options: Options, prefix: str, to: str) -> Any:
    where = "data_files" if account.given(f"{prefix}.data_files") and found(account.names(f"{prefix}.data_files")[0], options) else "path"
    path = _path(account, draft, options, f"{prefix}.{where}", (account.names(f"{prefix}.{where}") or [""])[0])
    columns: dict[str, str] = {}
    for key in account.below(prefix):
        name = key.removeprefix(f"{prefix}.").removeprefix("type.")
        if name == where:
            if not account.refused(key):
                account.take(key, to)
        elif name in ("path", "data_files", *_SAME):
            account.skip(key, "the file says it")
        elif name == "type":
            _type(account, draft, key)
        elif name in _FIELDS:
            account.take(key, to)
            column, ours = account.text(key), _FIELDS[name]
            columns |= {} if column in _READ.get(ours, (ours,)) else {ours: column}
        elif name == "roles_to_train":
            _trained_roles(account, draft, key)
        elif name.partition(".")[0] in _TEMPLATES:
            account.skip(key, "rows are written by the model's own chat template; `tunesmith data preview` shows them")
        else:
            account.refuse(key, "rows of this form have no such column")
    return {"path": path, "columns": columns} if columns else path


def _type(account: Account, draft: Draft, key: str) -> None:
    kind = account.text(key).partition(".")[0].partition(":")[0]
    if kind == "alpaca" and account.get("rl") is None:
        said = "rows of the type alpaca are written by Alpaca's prompt there, and by the model's own chat template here"
        if said not in draft.remarks:
            draft.remarks.append(said)
    if kind == "input_output":
        account.refuse(key, "rows of segments with labels are not read", "write them as conversations with `weight`")
    else:
        account.take(key, "data")


def _trained_roles(account: Account, draft: Draft, key: str) -> None:
    roles = account.names(key)
    if roles in (["assistant"], ["gpt"], ["assistant", "gpt"]):
        account.take(key, "objective.train_on")
    else:
        account.refuse(key, "what the assistant says is trained on, or all", "write `train_on`")


def _path(account: Account, draft: Draft, options: Options, key: str, name: str) -> str:
    path = found(name, options)
    if path is not None and path.is_file():
        return placed(name, options)
    if name.endswith((".jsonl", ".json", ".csv", ".txt", ".parquet")):
        return placed(name, options)
    return hub_rows(account, draft, key, name)
