"""TRL: YAML for its command `trl`, and command lines of it."""

from __future__ import annotations

import re
from typing import Any

from tunesmith.errors import UserError
from tunesmith_import.api.contract import Options
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.mapping.table_importer import TableImporter
from tunesmith_import.training.arguments import training_arguments
from tunesmith_import.training.first_row import first_row
from tunesmith_import.training.group_policy import groups
from tunesmith_import.training.hub_rows import hub_rows
from tunesmith_import.training.model_source import found, model, placed

#: its command, or trainer -> our objective
METHODS = {
    "sft": "sft", "dpo": "dpo", "kto": "kto", "reward": "reward", "grpo": "grpo", "rloo": "grpo", "orpo": "orpo", "cpo": "cpo",
}  # fmt: skip
_RATES = {"sft": 2e-5, "reward": 1e-4}  #: defaults of the learning rate; of others 1e-6
_DEFAULT_TARGETS = ["q_proj", "v_proj"]
#: its reward functions -> ours
REWARDS = {
    "accuracy_reward": "math", "reasoning_accuracy_reward": "math", "think_format_reward": {"format": {"tags": ["think"], "outside": True}},
}  # fmt: skip
_DATA = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt")


class TRL(TableImporter):
    table = "trl"
    commands = ("trl", "python")

    def shape(self, account: Account, draft: Draft, options: Options) -> None:
        method = method_of(account, draft, options)
        model(account, draft, options, "model_name_or_path", "model_revision")
        rows(account, draft, options)
        objective(account, draft, options, method)
        peft(account, draft, method)
        bf16 = account.get("bf16")
        training_arguments(account, draft, options, "float32" if bf16 is False else "bfloat16")
        if not account.given("learning_rate"):
            draft.set("settings.learning_rate", _RATES.get(method, 1e-6), account.take("learning_rate", "settings.learning_rate"))
        if method in ("grpo", "rloo"):
            groups(account, draft, options, REWARDS, loss="dapo", leave_one_out=method == "rloo")
        else:
            lengths(account, draft, method)


def method_of(account: Account, draft: Draft, options: Options) -> str:
    """By `--method`, the command, the file's name, or the keys; the last two are said.

    Raises:
        UserError: TS-IMPORT-005 for one that is not here.
    """
    configuration = account.configuration
    said = options.method or configuration.command.partition(" ")[2]
    if not said:
        words = re.split(r"[^a-z]+", configuration.path.stem.lower())
        said = next((word for word in words if word in METHODS), "")
        by = "file's name"
        if not said:
            said, by = guessed(account), "keys"
        draft.remarks.append(f"it is taken for a training with `{said}`, by the {by}: --method says another")
    if said not in METHODS:
        raise UserError("TS-IMPORT-005", f"`{said}` is no method that is here", fix=f"One of: {', '.join(METHODS)}.")
    return said


def guessed(account: Account) -> str:
    for keys, method in (
        (("reward_funcs", "num_generations"), "grpo"), (("desirable_weight", "undesirable_weight"), "kto"),
        (("cpo_alpha", "simpo_gamma"), "cpo"),
        (("center_rewards_coefficient",), "reward"), (("beta", "precompute_ref_log_probs", "discopop_tau"), "dpo"),
    ):  # fmt: skip
        if any(account.given(key) for key in keys):
            return method
    return "sft"


def rows(account: Account, draft: Draft, options: Options) -> None:
    if options.data:
        draft.set("data", options.data, note="--data")
        for key in (*account.below("dataset_name"), *account.below("datasets")):
            account.skip(key, "--data names other rows")
    else:
        parts = [_named(account, draft, options, key) for key in _sources(account)]
        parts = [part for part in parts if part]
        draft.set(
            "data",
            (parts[0] if len(parts) == 1 else parts) or "train.jsonl",
            *(account.take(key, "data") for key in _sources(account) if parts),
        )
        for key in account.below("datasets"):
            _rest(account, key)
    for key in ("dataset_train_split", "dataset_test_split"):
        account.skip(key, "a file is one split")


def _sources(account: Account) -> list[str]:
    """Keys that say where rows lie: `datasets` goes before `dataset_name`."""
    below = [key for key in account.below("datasets") if key.endswith((".path", ".data_files"))]
    files = [key for key in below if key.endswith(".data_files")]
    named = {key.rpartition(".")[0] for key in files}
    found = [key for key in below if key in files or key.rpartition(".")[0] not in named]
    return found or (["dataset_name"] if account.given("dataset_name") else [])


def _rest(account: Account, key: str) -> None:
    if key in _sources(account):
        return
    if key.endswith((".fraction", ".columns", ".name", ".data_dir")):
        account.refuse(key, "all rows and columns of a file are read", "write a file with the rows that are meant")
    elif account.get(key) in ("json", "csv", "parquet", "text"):
        account.take(key, "data")
    else:
        account.skip(key, "a file is one split")


def _named(account: Account, draft: Draft, options: Options, key: str) -> Any:
    names = account.names(key)
    files = [_file(name, options) for name in names]
    if all(files):
        return files[0] if len(files) == 1 else files
    return hub_rows(account, draft, key, names[0] if names else "train")


def _file(name: str, options: Options) -> str:
    """A file of rows, or the one in a folder that holds the training split."""
    path = found(name, options)
    if path is None:
        return placed(name, options) if name.endswith(_DATA) else ""
    if path.is_file():
        return placed(name, options)
    inside = sorted(file for file in path.iterdir() if file.suffix in _DATA)
    train = [file for file in inside if "train" in file.stem] or inside
    return placed(str(train[0]), options) if len(train) == 1 else ""


def objective(account: Account, draft: Draft, options: Options, method: str) -> None:
    draft.set("objective", METHODS[method], note=f"trl {method}")
    if method == "sft":
        _supervised(account, draft, options)
    elif method in ("dpo", "kto", "cpo"):
        _preference(account, draft, method)
    elif method == "orpo":
        draft.set("objective.beta", account.number("beta", 0.1), account.take("beta", "objective.beta"))
    if method != "reward" and method not in ("grpo", "rloo", "sft", "orpo"):
        draft.set("objective.beta", account.number("beta", 0.1), account.take("beta", "objective.beta"))
    if account.given("ld_alpha") and method == "dpo":
        draft.set("objective.ld_alpha", account.number("ld_alpha", 1), account.take("ld_alpha", "objective.ld_alpha"))


def _supervised(account: Account, draft: Draft, options: Options) -> None:
    """Without a mask TRL trains on the whole conversation, and of a prompt with a completion on the completion."""
    row = first_row(draft.get("data"), options.written_to)
    if "text" in row and "messages" not in row:
        draft.set("objective", "pretrain", account.take("dataset_text_field", "objective"), note="rows are texts")
        for key in ("assistant_only_loss", "completion_only_loss"):
            account.skip(key, "rows are texts")
        return
    account.skip("dataset_text_field", "rows are conversations")
    if account.true("assistant_only_loss"):
        account.skip("completion_only_loss", "assistant_only_loss is on")
        draft.set("objective.train_on", "assistant", account.take("assistant_only_loss", "objective.train_on"))
        return
    account.skip("assistant_only_loss", "it asks for nothing with this value")
    pairs = "completion" in row and "prompt" in row
    only = account.true("completion_only_loss") if account.get("completion_only_loss") is not None else pairs
    origin = account.take("completion_only_loss", "objective.train_on")
    if not account.given("completion_only_loss"):
        note = "rows are prompts with completions" if pairs else "all tokens of a conversation are trained on there"
        draft.set("objective.train_on", "last_assistant" if only else "all", note=note)
        return
    draft.set("objective.train_on", "last_assistant" if only else "all", origin)


def _preference(account: Account, draft: Draft, method: str) -> None:
    losses = account.names("loss_type") or {"dpo": ["sigmoid"], "kto": ["kto"], "cpo": ["sigmoid"]}[method]
    known = known_losses(method)
    if all(loss in known for loss in losses):
        value: Any = losses[0] if len(losses) == 1 else losses
        draft.set("objective.loss_type", value, account.take("loss_type", "objective.loss_type"))
    else:
        account.refuse("loss_type", "there is no such loss", "see `tunesmith plugin list objective`")
    if method == "cpo":
        draft.set("objective.cpo_alpha", account.number("cpo_alpha", 1.0), account.take("cpo_alpha", "objective.cpo_alpha"))


def known_losses(method: str) -> tuple[str, ...]:
    if method == "kto":
        return ("kto", "apo_zero_unpaired", "bco")
    if method == "cpo":
        return ("sigmoid", "hinge", "ipo", "simpo")
    return (
        "sigmoid", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "apo_zero", "apo_down",
        "discopop", "sigmoid_norm", "sft",
    )  # fmt: skip


def peft(account: Account, draft: Draft, method: str) -> None:
    if not account.true("use_peft"):
        draft.set("adapter", "full", account.take("use_peft", "adapter"), note="" if account.given("use_peft") else "use_peft is not on")
        return
    four, eight = account.true("load_in_4bit"), account.true("load_in_8bit")
    name = "qlora" if four else "dora" if account.true("use_dora") else "lora"
    origins = [account.take(key, "adapter") for key, on in (("use_peft", True), ("load_in_4bit", four), ("use_dora", name == "dora")) if on]
    draft.set("adapter", name, *origins)
    if eight:
        account.refuse("load_in_8bit", "a base is trained beside in 4 bits of bitsandbytes, with LoRA", "`adapter: qlora`")
    for key in ("load_in_4bit", "load_in_8bit", "use_dora"):
        if not account.true(key):
            account.skip(key, "it asks for nothing with this value")
    if name == "qlora" and account.true("use_dora"):
        account.refuse("use_dora", "DoRA goes beside a base that is not quantized")
    draft.set("adapter.r", account.number("lora_r"), account.take("lora_r", "adapter.r"))
    dropout(account, draft, method)
    targets = account.names("lora_target_modules")
    to = "adapter.target_modules"
    if targets:
        draft.set(to, targets, account.take("lora_target_modules", to))
    else:
        draft.set(
            to, _DEFAULT_TARGETS, account.take("lora_target_modules", to), note="PEFT's for Llama and Qwen; of some families it has others"
        )


def dropout(account: Account, draft: Draft, method: str) -> None:
    """Preference trainers switch dropout off, the adapter's too."""
    to = "adapter.lora_dropout"
    if method not in ("sft", "grpo", "rloo") and account.true("disable_dropout"):
        account.skip("lora_dropout", "disable_dropout is on")
        draft.set(to, 0, account.take("disable_dropout", to), note="which switches the adapter's dropout off, too")
        return
    if account.given("disable_dropout") and account.true("disable_dropout"):
        draft.set(to, 0, account.take("disable_dropout", to))
        account.skip("lora_dropout", "disable_dropout is on")
        return
    account.skip("disable_dropout", "a model's own dropout is as its configuration says")
    draft.set(to, account.number("lora_dropout"), account.take("lora_dropout", to))


def lengths(account: Account, draft: Draft, method: str) -> None:
    if account.get("max_length") is None:
        account.skip("max_length", "nothing is given")
    draft.set("settings.max_length", account.number("max_length"), account.take("max_length", "settings.max_length"))
    if account.text("truncation_mode") == "keep_start":
        draft.set(
            "settings.truncation", "drop" if method == "reward" else "truncate", account.take("truncation_mode", "settings.truncation")
        )
    else:
        account.refuse("truncation_mode", "a row that is too long keeps its beginning", "shorten the rows")
    for key in ("max_completion_length", "num_generations"):
        account.skip(key, "it is read there only with other settings")
