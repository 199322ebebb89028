"""torchtune: the YAML of its recipes, and `tune run` with what it overrides."""

from __future__ import annotations

import re
from typing import Any

from tunesmith.errors import UserError
from tunesmith_import.api.contract import Options
from tunesmith_import.configuration.configuration import Configuration
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.mapping.table_importer import TableImporter, number_of
from tunesmith_import.training.batch import batch, known_rows, processes
from tunesmith_import.training.hub_rows import hub_rows
from tunesmith_import.training.model_source import found, placed

#: end of a component's name -> what it is here
_OPTIMIZERS = {
    "AdamW": "adamw",
    "Adam": "adamw",
    "AdamW8bit": "adamw-8bit",
    "PagedAdamW8bit": "adamw-8bit",
    "PagedAdamW": "adamw",
    "SGD": "sgd",
    "Lion": "lion",
    "Muon": "muon",
}
_SCHEDULES = {"get_cosine_schedule_with_warmup": "cosine"}
_LOSSES = {"DPOLoss": ("dpo", "sigmoid"), "RSOLoss": ("dpo", "hinge"), "IPOLoss": ("dpo", "ipo"), "SimPOLoss": ("simpo", "")}
_TOKENS = ("CEWithChunkedOutputLoss", "LinearCrossEntropyLoss", "CrossEntropyLoss", "")
_COLUMNS = {
    "input": "instruction",
    "output": "output",
    "system": "system",
    "conversations": "conversations",
    "messages": "messages",
    "prompt": "prompt",
    "chosen": "chosen",
    "rejected": "rejected",
}
_ATTENTION = {"q_proj": "q_proj", "k_proj": "k_proj", "v_proj": "v_proj", "output_proj": "o_proj"}
_MLP = ["gate_proj", "up_proj", "down_proj"]
_DTYPES = {"bf16": "bfloat16", "fp32": "float32", "fp16": "float16"}


class Torchtune(TableImporter):
    table = "torchtune"
    commands = ("tune",)

    def claim(self, configuration: Configuration) -> float:
        if configuration.form == "keys" and not any(entry.key.endswith("_component_") for entry in configuration.entries):
            return 0.0
        return super().claim(configuration)

    def shape(self, account: Account, draft: Draft, options: Options) -> None:
        for key in ("$1", "$2"):
            account.skip(key, "it names the recipe")
        component = _component(account, "model")
        if not component:
            fix = "Name the YAML of a recipe: `tune cp CONFIG my.yaml` copies one of torchtune's."
            raise UserError("TS-IMPORT-005", f"{account.configuration.path} names no model", fix=fix)
        source(account, draft, options)
        rows(account, draft, options)
        objective(account, draft)
        adapter(account, draft, component)
        lengths(account, draft)
        batch(account, draft, options, "batch_size")
        optimizer(account, draft)
        schedule(account, draft, options)
        rest(account, draft, options)


def _component(account: Account, part: str) -> str:
    return account.text(f"{part}._component_").rpartition(".")[2]


def source(account: Account, draft: Draft, options: Options) -> None:
    key = "checkpointer.checkpoint_dir"
    if options.model:
        draft.set("model", options.model, note="--model")
        account.skip(key, "--model names another one")
    else:
        text = account.text(key).rstrip("/") or "model"
        draft.set("model", f"file://{placed(text, options)}", account.take(key, "model"))
    for name in account.below("checkpointer"):
        account.skip(name, "the model's folder says it") if name != key else None
    for name in account.below("tokenizer"):
        if name != "tokenizer.max_seq_len":
            account.skip(name, "the model's folder says it")


def rows(account: Account, draft: Draft, options: Options) -> None:
    if options.data:
        draft.set("data", options.data, note="--data")
        for key in account.below("dataset"):
            account.skip(key, "--data names other rows")
    else:
        draft.set("data", _dataset(account, draft, options, "dataset"), account.origin("dataset._component_"))
    if account.below("dataset_val"):
        draft.set("validation", _dataset(account, draft, options, "dataset_val"), account.origin("dataset_val._component_"))


def _dataset(account: Account, draft: Draft, options: Options, part: str) -> Any:
    path, columns = "", {}
    files = account.names(f"{part}.data_files")
    named = files[0] if files and found(files[0], options) else account.text(f"{part}.source")
    for key in account.below(part):
        name = re.sub(r"\[\d+\]", "", key).removeprefix(f"{part}.")
        if name.startswith("column_map."):
            ours, column = _COLUMNS.get(name.removeprefix("column_map.")), account.text(key)
            account.take(key, "data")
            columns |= {ours: column} if ours and ours != column else {}
        elif name == "conversation_column":
            account.take(key, "data")
            columns |= {} if account.text(key) in ("conversations", "messages") else {"conversations": account.text(key)}
        elif name == "column":
            account.take(key, "data")
            columns |= {} if account.text(key) == "text" else {"text": account.text(key)}
        elif name == "packed" and account.true(key):
            account.refuse(
                key,
                "a batch counts rows here, and packs of `max_seq_len` tokens there; rows are always laid end to end without padding",
                "set `batch_size` to the rows that those packs held",
            )
        elif name in ("train_on_input", "train_on_inputs"):
            account.take(key, "objective.train_on")
        elif name in ("_component_", "source", "data_files"):
            account.take(key, "data")
        elif name == "new_system_prompt" and account.get(key):
            account.refuse(
                key, "rows are written by the model's own chat template, with the system message that they have", "write it into the rows"
            )
        else:
            account.skip(key, "the file says it")
    if named and (found(named, options) or named.endswith((".json", ".jsonl", ".csv", ".txt"))):
        path = placed(named, options)
    else:
        key = f"{part}.source" if account.given(f"{part}.source") else f"{part}._component_"
        path = hub_rows(account, draft, key, named or _component(account, part))
    return {"path": path, "columns": columns} if columns else path


def objective(account: Account, draft: Draft) -> None:
    loss = _component(account, "loss")
    if loss in _LOSSES:
        name, kind = _LOSSES[loss]
        draft.set("objective", name, account.take("loss._component_", "objective"))
        if kind:
            draft.set("objective.loss_type", kind, account.take("loss._component_", "objective.loss_type"))
        for theirs, to in (
            ("loss.beta", "objective.beta"),
            ("loss.tau", "objective.beta"),
            ("loss.gamma", "objective.beta"),
            ("loss.label_smoothing", "objective.label_smoothing"),
        ):
            if account.get(theirs):
                draft.set(to, account.number(theirs), account.take(theirs, to))
    else:
        text = _component(account, "dataset") == "text_completion_dataset"
        draft.set("objective", "pretrain" if text else "sft", account.origin("dataset._component_"))
        if not text and account.true("dataset.train_on_input"):
            draft.set("objective.train_on", "all", account.take("dataset.train_on_input", "objective.train_on"))
        if loss in _TOKENS:
            account.take("loss._component_", "objective")
        else:
            account.refuse("loss._component_", "there is no such loss", "see `tunesmith plugin list objective`")
    for key in account.below("loss"):
        if key.endswith(("ignore_index", "num_output_chunks", "mask_pre_projection")):
            account.skip(key, "it changes how fast the same is computed; there are kernels of our own")


def adapter(account: Account, draft: Draft, component: str) -> None:
    modules = account.names("model.lora_attn_modules")
    if not modules and "lora" not in component:
        draft.set("adapter", "full", account.take("model._component_", "adapter"))
    else:
        name = (
            "qlora"
            if component.startswith("qlora") or account.true("model.quantize_base")
            else "dora"
            if account.true("model.use_dora")
            else "lora"
        )
        draft.set("adapter", name, account.take("model._component_", "adapter"))
        for theirs, ours, usual in (("lora_rank", "r", 8), ("lora_alpha", "lora_alpha", 16), ("lora_dropout", "lora_dropout", 0.0)):
            draft.set(f"adapter.{ours}", account.number(f"model.{theirs}", usual), account.take(f"model.{theirs}", f"adapter.{ours}"))
        targets = [_ATTENTION[one] for one in modules if one in _ATTENTION] or ["q_proj", "v_proj"]
        origins = [account.take("model.lora_attn_modules", "adapter.target_modules")]
        if account.true("model.apply_lora_to_mlp"):
            targets += _MLP
            origins.append(account.take("model.apply_lora_to_mlp", "adapter.target_modules"))
        draft.set("adapter.target_modules", targets, *origins)
        if account.true("model.apply_lora_to_output"):
            account.refuse(
                "model.apply_lora_to_output", "an adapter trains no whole modules beside its own", "name layers in `target_modules`"
            )
        if name == "qlora":
            draft.set("adapter.bnb_4bit_quant_type", "nf4", note="as there")
            account.take("model.quantize_base", "adapter")
        if name == "dora":
            account.take("model.use_dora", "adapter")
    for key in account.below("model"):
        if account.verdict(key) is None:
            account.skip(key, "it asks for nothing with this value") if not account.get(key) else account.refuse(
                key, "the model is computed as its own configuration says", "change the model's config.json"
            )


def lengths(account: Account, draft: Draft) -> None:
    key, to = "tokenizer.max_seq_len", "settings.max_length"
    if account.get(key):
        draft.set(to, account.number(key), account.take(key, to))
    else:
        draft.set(to, 32768, note="the model's whole context there: write it")
        account.skip(key, "nothing is given")
    draft.set("settings.truncation", "truncate" if draft.get("objective") != "reward" else "drop", note="as there")


def optimizer(account: Account, draft: Draft) -> None:
    name = _OPTIMIZERS.get(_component(account, "optimizer"))
    origin = account.take("optimizer._component_", "optimizer")
    if name is None:
        account.refuse(
            "optimizer._component_", "there is no such optimizer", "one of `tunesmith plugin list optimizer`; adamw stands there now"
        )
        name = "adamw"
    draft.set("optimizer", name, origin)
    draft.set(
        "settings.learning_rate", number_of(account.get("optimizer.lr", 1e-3)), account.take("optimizer.lr", "settings.learning_rate")
    )
    decay = account.number("optimizer.weight_decay", 0.01 if name == "adamw" else 0.0)
    draft.set("optimizer.weight_decay", decay, account.take("optimizer.weight_decay", "optimizer.weight_decay"))
    betas = account.get("optimizer.betas")
    if isinstance(betas, list) and len(betas) == 2 and name not in ("sgd", "adafactor"):
        for number, value in enumerate(betas, 1):
            draft.set(f"optimizer.beta{number}", float(value), account.take("optimizer.betas", f"optimizer.beta{number}"))
    if name == "sgd":
        draft.set("optimizer.momentum", account.number("optimizer.momentum", 0), account.take("optimizer.momentum", "optimizer.momentum"))
    if account.get("optimizer.eps") and name in ("adamw", "adamw-8bit"):
        draft.set("optimizer.eps", account.number("optimizer.eps"), account.take("optimizer.eps", "optimizer.eps"))
    for key in ("optimizer.fused", "optimizer.foreach"):
        account.skip(key, "it changes how fast the same is computed; there are kernels of our own")
    account.skip("optimizer_in_bwd", "it changes how fast the same is computed; there are kernels of our own")
    clip = account.get("clip_grad_norm")
    draft.set(
        "settings.max_grad_norm",
        0 if clip is None else account.number("clip_grad_norm"),
        account.take("clip_grad_norm", "settings.max_grad_norm"),
        note="not clipped there" if clip is None else "",
    )


def schedule(account: Account, draft: Draft, options: Options) -> None:
    """There `epochs` of at most `max_steps_per_epoch` optimizer steps; the warm-up is counted in steps."""
    epochs, most = account.number("epochs"), account.get("max_steps_per_epoch")
    draft.set("settings.num_train_epochs", epochs, account.take("epochs", "settings.num_train_epochs"))
    rows, size = known_rows(draft, options), draft.get("settings.batch_size", 1)
    total = int(rows // size or 1) * epochs if rows else 0
    if most:
        bound = int(account.number("max_steps_per_epoch") * epochs)
        draft.set("settings.max_steps", bound, account.take("max_steps_per_epoch", "settings.max_steps"), note="of all epochs together")
        total = min(total, bound) if total else bound
    name = _component(account, "lr_scheduler")
    to = "settings.warmup_ratio"
    if not name:
        draft.set("settings.lr_scheduler_type", "constant", note="no schedule there")
        draft.set(to, 0, note="no schedule there")
        return
    kind = _SCHEDULES.get(name)
    if kind is None:
        account.refuse("lr_scheduler._component_", "there is no such schedule", "cosine, linear or constant; cosine stands there now")
    draft.set("settings.lr_scheduler_type", kind or "cosine", account.origin("lr_scheduler._component_"))
    account.take("lr_scheduler._component_", "settings.lr_scheduler_type") if kind else None
    warm = account.number("lr_scheduler.num_warmup_steps", 0)
    if not warm or total:
        share = min(1.0, float(f"{max(0.0, (warm - 0.5) / total):.6g}")) if warm else 0
        draft.set(to, share, account.take("lr_scheduler.num_warmup_steps", to), note=f"{warm} of {total} steps" if warm else "")
    else:
        because = "the warm-up is a share of the steps here, and how many there are is not known without the rows"
        account.refuse("lr_scheduler.num_warmup_steps", because, "say how many rows there are: --rows N")
        draft.set(to, 0.03, note="in place of a warm-up in steps")
    for key in account.below("lr_scheduler"):
        if account.verdict(key) is None:
            account.refuse(key, "a schedule has no further arguments", "choose cosine, linear or constant")


def rest(account: Account, draft: Draft, options: Options) -> None:
    kind = account.text("dtype", "bf16")
    draft.set("settings.dtype", _DTYPES.get(kind, "auto"), account.take("dtype", "settings.dtype"))
    to = "settings.gradient_checkpointing"
    if account.given("enable_activation_checkpointing"):
        draft.set(to, account.true("enable_activation_checkpointing"), account.take("enable_activation_checkpointing", to))
    if account.get("seed") is not None:
        draft.set("seed", int(account.number("seed")), account.take("seed", "seed"))
    else:
        account.skip("seed", "nothing is given")
    if "validation" in draft.values and account.get("run_val_every_n_steps"):
        draft.set(
            "settings.eval_steps", account.number("run_val_every_n_steps"), account.take("run_val_every_n_steps", "settings.eval_steps")
        )
    logger = _component(account, "metric_logger")
    tracker = {"WandBLogger": "wandb", "TensorBoardLogger": "tensorboard"}.get(logger, "")
    if tracker:
        draft.set(f"track.{tracker}", None, account.take("metric_logger._component_", f"track.{tracker}"))
        if tracker == "wandb" and account.get("metric_logger.project"):
            draft.set(
                "track.wandb.project", account.text("metric_logger.project"), account.take("metric_logger.project", "track.wandb.project")
            )
    for key in account.below("metric_logger"):
        if account.verdict(key) is None:
            account.skip(key, "what is shown and kept of a run is the same for all")
    number, who = processes(account, options)
    if number > 1:
        draft.set("strategy", "fsdp", note=who)
        draft.set("strategy.num_processes", number, note=who)
