"""ms-swift: command lines of `swift sft`, `pt` and `rlhf`, and the args.json that it writes beside checkpoints."""

from __future__ import annotations

import math
from typing import Any

from tunesmith.errors import UserError
from tunesmith_import.api.contract import Options
from tunesmith_import.importers.trl import known_losses
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.mapping.table_importer import TableImporter
from tunesmith_import.training.arguments import training_arguments
from tunesmith_import.training.batch import processes
from tunesmith_import.training.first_row import first_row
from tunesmith_import.training.group_policy import groups
from tunesmith_import.training.hub_rows import hub_rows
from tunesmith_import.training.model_source import HUGGINGFACE, MODELSCOPE, found, model, placed

_METHODS = {
    "dpo": "dpo", "orpo": "orpo", "simpo": "simpo", "kto": "kto", "cpo": "cpo", "rm": "reward", "ppo": "ppo", "grpo": "grpo",
}  # fmt: skip
_TUNERS = {"lora": "lora", "full": "full", "adalora": "adalora", "ia3": "ia3", "vera": "vera", "boft": "boft"}
_SCALES = {"default": "assistant", "last_round": "last_assistant", "all": "all"}
_TRUNCATIONS = {"delete": "drop", "right": "truncate", "split": "auto"}
_BEFORE = {"accuracy": "math", "math": "math", "format": {"format": {"tags": ["think", "answer"]}}}
_OLD = ("tuner_type", "train_type", "sft_type")  #: names of one option, newest first
_CONTEXT = 32768  #: a bound where theirs is the model's context
_NO_DROPOUT = ("dpo", "orpo", "simpo", "kto", "cpo", "rm")


class Swift(TableImporter):
    table = "ms_swift"
    commands = ("swift", "megatron")

    def shape(self, account: Account, draft: Draft, options: Options) -> None:
        command = account.configuration.command.partition(" ")[2]
        if command not in ("", "sft", "pt", "rlhf"):
            fix = "A merge and an export are steps of a pipeline: `merge`, `export`, `quantize`."
            raise UserError("TS-IMPORT-007", f"{account.configuration.path} starts `swift {command}`, which trains nothing", fix=fix)
        method = method_of(account, command)
        hub = HUGGINGFACE if account.true("use_hf") else MODELSCOPE
        model(account, draft, options, "model" if account.given("model") else "model_id_or_path", "model_revision", hub)
        account.take("use_hf", "model")
        rows(account, draft, options, method)
        objective(account, draft, method, command)
        tuner(account, draft, method)
        accumulation(account, options, method)
        strategy_of_validation(account)
        training_arguments(account, draft, options, {"float16": "float16", "float32": "float32"}.get(account.text("torch_dtype"), "auto"))
        computed_in(account, draft)
        rate = 1e-5 if draft.get("adapter") == "full" else 1e-4
        to = "settings.learning_rate"
        draft.set(to, account.number("learning_rate", rate), account.take("learning_rate", to))
        lengths(account, draft)
        if method == "grpo":
            groups(account, draft, options, _BEFORE, loss="grpo", beta=0.04)
            sampling(account, draft)
        rest(account, draft)


def method_of(account: Account, command: str) -> str:
    if command == "rlhf" or (account.given("rlhf_type") and command != "sft"):
        method = account.text("rlhf_type")
        if method not in _METHODS:
            account.refuse("rlhf_type", "there is no such method", "one of: " + ", ".join(_METHODS))
            return "dpo"
        return method
    account.skip("rlhf_type", "it is read there only with other settings")
    return "pt" if command == "pt" else "sft"


def rows(account: Account, draft: Draft, options: Options, method: str) -> None:
    columns = _columns(account)
    for key, to in (("dataset", "data"), ("val_dataset", "validation")):
        if to == "data" and options.data:
            draft.set(to, options.data, note="--data")
            account.skip(key, "--data names other rows")
            continue
        parts = [_part(account, draft, options, key, name, columns) for name in _names(account, key)]
        if parts:
            draft.set(
                to, parts[0] if len(parts) == 1 else parts, account.take(key, to) if not account.refused(key) else account.origin(key)
            )
        elif to == "data":
            draft.remarks.append("the configuration names no rows: write `data`, or say --data FILE")
            draft.set(to, "train.jsonl", note="to be filled in")
    share = account.number("split_dataset_ratio", 0)
    if share and "validation" not in draft.values:
        draft.set("settings.validation_split", min(share, 0.5), account.take("split_dataset_ratio", "settings.validation_split"))
    else:
        account.skip("split_dataset_ratio", "there is a file to validate on" if share else "it asks for nothing with this value")
    account.refuse(
        "system", "rows are written by the model's own chat template, with the system message that they have", "write it into the rows"
    )
    account.skip("template", "rows are written by the model's own chat template; `tunesmith data preview` shows them")


def _names(account: Account, key: str) -> list[str]:
    value = account.get(key, [])
    return [str(one) for one in value] if isinstance(value, list) else str(value).split()


def _columns(account: Account) -> dict[str, str]:
    """``{theirs: a name that ms-swift knows}`` -> ours with theirs."""
    value = account.get("columns")
    if not isinstance(value, dict):
        value = {key.partition(".")[2]: account.get(key) for key in account.below("columns") if "." in key}
    for key in account.below("columns"):
        account.take(key, "data")
    ours = {"query": "instruction", "response": "output", "prompt": "instruction"}
    return {ours.get(str(name), str(name)): str(column) for column, name in value.items()}


def _part(account: Account, draft: Draft, options: Options, key: str, name: str, columns: dict[str, str]) -> Any:
    text, sign, count = name.partition("#")
    if sign and count:
        account.refuse(key, "all rows of a file are read", "write a file with so many rows")
    path = found(text, options)
    if path is None and not text.endswith((".jsonl", ".json", ".csv", ".txt")):
        return hub_rows(account, draft, key, text)
    here = placed(text, options)
    row = first_row(here, options.written_to)
    native = {"instruction": "query", "output": "response"} if {"query", "response"} <= row.keys() else {}
    named = {**native, **{ours: theirs for ours, theirs in columns.items() if theirs in row}}
    return {"path": here, "columns": named} if named else here


def objective(account: Account, draft: Draft, method: str, command: str) -> None:
    if account.text("task_type") in ("seq_cls", "embedding", "reranker", "generative_reranker"):
        account.refuse("task_type", "this task has an objective of its own", "write `train: classify` or `train: embed`")
    if method == "pt":
        draft.set("objective", "pretrain", note="swift pt")
        account.skip("loss_scale", "all tokens are trained on")
    elif method == "sft":
        draft.set("objective", "sft", note="swift sft" if command else "")
        scale = account.text("loss_scale", "default")
        if scale in _SCALES:
            draft.set("objective.train_on", _SCALES[scale], account.take("loss_scale", "objective.train_on"))
        else:
            account.refuse("loss_scale", "trained tokens all weigh the same", "default, last_round or all")
    else:
        draft.set("objective", _METHODS[method], account.take("rlhf_type", "objective"))
        account.skip("loss_scale", "the last answer is compared")
        preference(account, draft, method)
    if method not in ("dpo", "kto", "cpo", "grpo", "simpo"):
        account.skip("loss_type", "it is read there only with other settings")


def preference(account: Account, draft: Draft, method: str) -> None:
    if method in ("dpo", "orpo", "kto", "cpo", "simpo"):
        draft.set("objective.beta", account.number("beta", 2.0 if method == "simpo" else 0.1), account.take("beta", "objective.beta"))
    if method in ("dpo", "kto", "cpo"):
        losses = account.names("loss_type") or [{"dpo": "sigmoid", "kto": "kto", "cpo": "sigmoid"}[method]]
        alpha = account.number("rpo_alpha", 0) if method == "dpo" else 0
        if not all(loss in known_losses(method) for loss in losses):
            account.refuse("loss_type", "there is no such loss", "see `tunesmith plugin list objective`")
        elif alpha and len(losses) == 1:
            draft.set("objective.loss_type", [*losses, "sft"], account.take("loss_type", "objective.loss_type"))
            draft.set("objective.loss_weights", [1, alpha], account.take("rpo_alpha", "objective.loss_weights"))
        else:
            draft.set("objective.loss_type", losses[0] if len(losses) == 1 else losses, account.take("loss_type", "objective.loss_type"))
            if isinstance(account.get("loss_weights"), list):
                draft.set("objective.loss_weights", account.get("loss_weights"), account.take("loss_weights", "objective.loss_weights"))
    if method == "cpo":
        draft.set("objective.cpo_alpha", account.number("cpo_alpha"), account.take("cpo_alpha", "objective.cpo_alpha"))
    if method == "simpo":
        draft.set("objective.simpo_gamma", account.number("simpo_gamma"), account.take("simpo_gamma", "objective.simpo_gamma"))
        if account.number("cpo_alpha"):
            _contrastive(account, draft)
    if method == "ppo":
        _scored(account, draft)


def _contrastive(account: Account, draft: Draft) -> None:
    """Its SimPO keeps CPO's likelihood term unless `cpo_alpha` is 0."""
    beta, gamma = draft.values["objective.beta"], draft.values["objective.simpo_gamma"]
    draft.drop("objective")
    draft.set(
        "objective", "cpo", account.take("rlhf_type", "objective"), note="its SimPO keeps CPO's term of likelihood unless cpo_alpha is 0"
    )
    draft.set("objective.loss_type", "simpo", account.take("rlhf_type", "objective"))
    draft.values |= {"objective.beta": beta, "objective.simpo_gamma": gamma}
    draft.set("objective.cpo_alpha", account.number("cpo_alpha"), account.take("cpo_alpha", "objective.cpo_alpha"))


def _scored(account: Account, draft: Draft) -> None:
    text = account.text("reward_model")
    if text and "/" not in text.strip("./"):
        draft.set("objective.rewards", [{"model": {"path": text}}], account.take("reward_model", "objective.rewards"))
    else:
        account.refuse("reward_model", "another model is the result of a step", "name that step as `reward_model`")
        draft.set("objective.rewards", ["exact"], note="to be filled in")
    to = "objective.max_completion_length"
    for key in ("response_length", "max_completion_length"):
        if account.get(key):
            draft.set(to, account.number(key), account.take(key, to))
            break
    draft.set("objective.temperature", account.number("temperature", 0.9), account.take("temperature", "objective.temperature"))


def tuner(account: Account, draft: Draft, method: str) -> None:
    key = next((name for name in _OLD if account.given(name)), "tuner_type")
    kind = account.text(key, "lora")
    for other in _OLD:
        if other != key:
            account.skip(other, "it is read there only with other settings")
    name = _TUNERS.get(kind, "")
    if not name:
        account.refuse(key, "there is no such method", "see `tunesmith plugin list adapter` and `tunesmith plugin list optimizer`")
        draft.set("adapter", "lora", note="in place of a method that is not here")
        name = "lora"
    else:
        draft.set("adapter", name, account.take(key, "adapter"))
    if name == "lora":
        quantized(account, draft, key)
    if name not in ("full", "ia3"):
        low_rank(account, draft, name, method)
    account.skip("disable_dropout", "it is read there only with other settings")


def quantized(account: Account, draft: Draft, key: str) -> None:
    bits, how = account.get("quant_bits"), account.text("quant_method", "bnb")
    if bits and (str(bits) != "4" or how != "bnb"):
        account.refuse("quant_bits", "a base is trained beside in 4 bits of bitsandbytes, with LoRA", "`adapter: qlora`")
        account.skip("quant_method", "it is read there only with other settings")
    elif bits:
        draft.set("adapter", "qlora", account.take(key, "adapter"), account.take("quant_bits", "adapter"))
        account.take("quant_method", "adapter")
        for name in ("bnb_4bit_quant_type", "bnb_4bit_use_double_quant"):
            draft.set(f"adapter.{name}", account.get(name), account.take(name, f"adapter.{name}"))
    elif account.true("use_dora"):
        draft.set("adapter", "dora", account.take(key, "adapter"), account.take("use_dora", "adapter"))
    account.skip("use_dora", "it asks for nothing with this value") if not account.true("use_dora") else None


def low_rank(account: Account, draft: Draft, name: str, method: str) -> None:
    rank = {
        "vera": ("vera_rank", "r", 256),
        "boft": ("boft_block_size", "boft_block_size", 4),
        "adalora": ("adalora_target_r", "target_r", 8),
    }
    theirs, ours, usual = rank.get(name, ("lora_rank", "r", 8))
    draft.set(f"adapter.{ours}", account.number(theirs, usual), account.take(theirs, f"adapter.{ours}"))
    if name == "adalora":
        draft.set("adapter.init_r", account.number("adalora_init_r", 12), account.take("adalora_init_r", "adapter.init_r"))
    modules = account.get("target_modules")
    modules = modules if isinstance(modules, list) else str(modules).split()
    draft.set("adapter.target_modules", [str(one) for one in modules], account.take("target_modules", "adapter.target_modules"))
    if name not in ("lora", "adalora"):
        return
    to = "adapter.lora_dropout"
    if method in _NO_DROPOUT and account.true("disable_dropout"):
        account.skip("lora_dropout", "disable_dropout is on")
        draft.set(to, 0, account.take("disable_dropout", to), note="which switches the adapter's dropout off, too")
    else:
        draft.set(to, account.number("lora_dropout"), account.take("lora_dropout", to))
    start = str(account.get("init_weights", "true")).lower()
    if start in ("pissa", "eva") and draft.get("adapter") == "lora":
        draft.set("adapter.init_lora_weights", start, account.take("init_weights", "adapter.init_lora_weights"))
    elif start != "true":
        account.refuse("init_weights", "it has no such value here", "kaiming, pissa or eva")
    else:
        account.skip("init_weights", "it asks for nothing with this value")


def accumulation(account: Account, options: Options, method: str) -> None:
    """Where nothing is given, as many steps as make a batch of 16; of GRPO one."""
    if account.get("gradient_accumulation_steps") is None or not account.given("gradient_accumulation_steps"):
        number, _ = processes(account, options)
        steps = 1 if method == "grpo" else max(1, math.ceil(16 / account.number("per_device_train_batch_size", 1) / number))
        account.default("gradient_accumulation_steps", steps)


def strategy_of_validation(account: Account) -> None:
    """By default validation is as often as checkpoints are saved."""
    if not account.given("eval_strategy") and not account.given("evaluation_strategy"):
        account.default("eval_strategy", account.text("save_strategy", "steps"))
    if account.get("eval_steps") is None:
        account.default("eval_steps", account.number("save_steps", 500))


def computed_in(account: Account, draft: Draft) -> None:
    to, said = "settings.dtype", account.text("torch_dtype")
    if account.given("torch_dtype") and not (account.true("bf16") or account.true("fp16")):
        if said in ("bfloat16", "float16", "float32"):
            note = "its weights; it computes in float16 then" if said == "float32" else ""
            draft.set(to, said, account.take("torch_dtype", to), note=note)
        else:
            account.skip("torch_dtype", "the device says what is computed in")
    else:
        account.skip("torch_dtype", "bf16 is on")


def lengths(account: Account, draft: Draft) -> None:
    to = "settings.max_length"
    if account.get("max_length"):
        draft.set(to, account.number("max_length"), account.take("max_length", to))
    else:
        draft.set(to, _CONTEXT, note="the model's whole context there: write it")
    cut = account.text("truncation_strategy")
    if cut in _TRUNCATIONS:
        if draft.get("objective") not in ("grpo", "ppo"):
            draft.set("settings.truncation", _TRUNCATIONS[cut], account.take("truncation_strategy", "settings.truncation"))
    else:
        account.refuse("truncation_strategy", "a row that is too long keeps its beginning", "shorten the rows")


def sampling(account: Account, draft: Draft) -> None:
    draft.set("objective.temperature", account.number("temperature", 0.9), account.take("temperature", "objective.temperature"))
    if account.true("dynamic_sample"):
        to = "objective.max_resamplings"
        draft.set(to, account.number("max_resample_times"), account.take("dynamic_sample", to), account.take("max_resample_times", to))
    kind = account.text("advantage_estimator", "grpo")
    if kind in ("grpo", "rloo", "reinforce_plus_plus"):
        draft.set("objective.advantage_estimator", kind, account.take("advantage_estimator", "objective.advantage_estimator"))
    else:
        account.refuse("advantage_estimator", "it has no such value here", "grpo, rloo or reinforce_plus_plus")
    account.refuse("reward_model", "another model is the result of a step", "name that step as `reward_model`")


def rest(account: Account, draft: Draft) -> None:
    to = "settings.early_stopping_patience"
    if account.get("early_stop_interval") and "settings.eval_steps" in draft.values:
        draft.set(to, account.number("early_stop_interval"), account.take("early_stop_interval", to))
    if account.text("optimizer") == "galore":
        draft.drop("optimizer")
        draft.set("optimizer", "galore", account.take("optimizer", "optimizer"))
    elif account.text("optimizer") not in ("", "lorap", "None"):
        account.refuse("optimizer", "there is no such optimizer", "one of `tunesmith plugin list optimizer`; adamw stands there now")
    if account.given("gradient_checkpointing"):
        to = "settings.gradient_checkpointing"
        draft.set(to, account.true("gradient_checkpointing"), account.take("gradient_checkpointing", to))
