"""LLaMA-Factory: its YAML, with the dataset_info.json that it names rows by."""

from __future__ import annotations

from typing import Any

from tunesmith.errors import UserError
from tunesmith_import.api.contract import Options
from tunesmith_import.importers.dataset_info import DatasetInfo
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.mapping.table_importer import TableImporter
from tunesmith_import.training.arguments import training_arguments
from tunesmith_import.training.batch import known_rows
from tunesmith_import.training.model_source import model
from tunesmith_import.training.row_count import rows_of

_STAGES = {"pt": "pretrain", "sft": "sft", "rm": "reward", "ppo": "ppo", "dpo": "dpo", "kto": "kto"}
_PAIRS = {"sigmoid": "sigmoid", "hinge": "hinge", "ipo": "ipo"}
_OTHERS_TEMPLATES = ("default", "empty", "alpaca", "vicuna", "fewshot")  #: that are no model's own


class LlamaFactory(TableImporter):
    table = "llamafactory"
    commands = ("llamafactory-cli",)

    def shape(self, account: Account, draft: Draft, options: Options) -> None:
        if account.given("export_dir") and not account.given("stage"):
            fix = "A merge and an export are steps of a pipeline: `merge`, `export`, `quantize`."
            raise UserError("TS-IMPORT-007", f"{account.configuration.path} configures an export, not a training", fix=fix)
        account.skip("$1", "it names this file")
        model(account, draft, options, "model_name_or_path", "model_revision")
        objective(account, draft)
        adapter(account, draft)
        rows(account, draft, options)
        lengths(account, draft)
        training_arguments(account, draft, options, "bfloat16" if account.true("pure_bf16") else "float32")
        account.skip("pure_bf16", "what trains is kept in float32; dtype says what is computed in")
        optimizers(account, draft)
        if account.given("disable_gradient_checkpointing"):
            to = "settings.gradient_checkpointing"
            draft.set(to, not account.true("disable_gradient_checkpointing"), account.take("disable_gradient_checkpointing", to))
        stopping(account, draft)


def objective(account: Account, draft: Draft) -> None:
    stage = account.text("stage")
    if stage not in _STAGES:
        raise account.wrong("stage", "one of " + ", ".join(_STAGES))
    origin = account.take("stage", "objective")
    draft.set("objective", _STAGES[stage], origin)
    if stage == "dpo":
        preference(account, draft)
    elif stage == "ppo":
        reinforcement(account, draft)
    elif stage == "sft":
        tokens(account, draft)


def preference(account: Account, draft: Draft) -> None:
    """Its stage `dpo` is also ORPO and SimPO, by the loss."""
    loss, weight = account.text("pref_loss"), account.number("pref_ftx")
    if loss in ("orpo", "simpo"):
        draft.set("objective", loss, account.take("stage", "objective"), account.take("pref_loss", "objective"))
        if loss == "simpo":
            draft.set("objective.simpo_gamma", account.number("simpo_gamma"), account.take("simpo_gamma", "objective.simpo_gamma"))
    elif loss in _PAIRS:
        draft.set("objective.loss_type", _PAIRS[loss], account.take("pref_loss", "objective.loss_type"))
    else:
        account.refuse("pref_loss", "there is no such loss", "sigmoid, hinge, ipo, orpo or simpo; sigmoid stands there now")
    if weight and draft.get("objective") == "dpo":
        origin = account.take("pref_ftx", "objective.loss_weights")
        draft.set(
            "objective.loss_type",
            [draft.get("objective.loss_type", "sigmoid"), "sft"],
            account.take("pref_loss", "objective.loss_type"),
            origin,
        )
        draft.set("objective.loss_weights", [1, weight], origin, note="the mean over all tokens of a batch, there over each answer's")
    elif weight:
        account.refuse("pref_ftx", "this objective has no further term")
    else:
        account.skip("pref_ftx", "it asks for nothing with this value")


def reinforcement(account: Account, draft: Draft) -> None:
    kind, text = account.text("reward_model_type"), account.text("reward_model")
    if kind == "lora":
        account.refuse("reward_model", "a reward model is a whole model here", "merge it, and name its folder in `rewards`")
        text = "reward-model"
        draft.remarks.append("`rewards` names no reward model yet: write its folder, or another reward")
    draft.set(
        "objective.rewards", [{"model": {"url" if kind == "api" else "path": text}}],
        account.take("reward_model", "objective.rewards") if kind != "lora" else account.take("reward_model_type", "objective.rewards"),
    )  # fmt: skip
    account.take("reward_model_type", "objective.rewards")
    draft.set("objective.adap_kl_ctrl", True, note="always there")
    draft.set("objective.kl_coef", 0.2, note="its beginning there")
    draft.set("objective.target", account.number("ppo_target", 6), account.take("ppo_target", "objective.target"))


def tokens(account: Account, draft: Draft) -> None:
    """Which tokens are trained on."""
    for key, value in (("train_on_prompt", "all"), ("mask_history", "last_assistant")):
        if account.true(key):
            draft.set("objective.train_on", value, account.take(key, "objective.train_on"))
        else:
            account.skip(key, "it asks for nothing with this value")


def adapter(account: Account, draft: Draft) -> None:
    kind, bits = account.text("finetuning_type"), account.get("quantization_bit")
    origin = account.take("finetuning_type", "adapter")
    if kind not in ("lora", "oft", "freeze", "full"):
        raise account.wrong("finetuning_type", "lora, oft, freeze or full")
    name = "dora" if kind == "lora" and account.true("use_dora") else kind
    if bits and (
        kind != "lora" or str(bits) != "4" or account.text("quantization_method") not in ("bnb", "bitsandbytes", "BNB") or name == "dora"
    ):
        account.refuse("quantization_bit", "a base is trained beside in 4 bits of bitsandbytes, with LoRA", "`adapter: qlora`")
    elif bits:
        name = "qlora"
        draft.set("adapter", name, origin, account.take("quantization_bit", "adapter"))
        account.take("quantization_method", "adapter")
        for theirs, ours in (("quantization_type", "bnb_4bit_quant_type"), ("double_quantization", "bnb_4bit_use_double_quant")):
            draft.set(f"adapter.{ours}", account.get(theirs), account.take(theirs, f"adapter.{ours}"))
    draft.set("adapter", name, origin, *(draft.values["adapter"][1][1:] if "adapter" in draft.values else ()))
    if name == "dora":
        account.take("use_dora", "adapter")
    else:
        account.skip("use_dora", "it asks for nothing with this value")
    if kind == "lora":
        low_rank(account, draft)
    elif kind == "oft":
        draft.set("adapter.target_modules", targets(account, "oft_target"), account.take("oft_target", "adapter.target_modules"))
    elif kind == "freeze":
        frozen(account, draft)


def targets(account: Account, key: str) -> list[str]:
    found = account.names(key)
    return ["all-linear"] if found == ["all"] else found


def low_rank(account: Account, draft: Draft) -> None:
    rank = account.number("lora_rank")
    draft.set("adapter.r", rank, account.take("lora_rank", "adapter.r"))
    if account.get("lora_alpha"):
        draft.set("adapter.lora_alpha", account.number("lora_alpha"), account.take("lora_alpha", "adapter.lora_alpha"))
    else:
        draft.set("adapter.lora_alpha", 2 * rank, account.take("lora_alpha", "adapter.lora_alpha"), note="twice the rank")
    draft.set("adapter.target_modules", targets(account, "lora_target"), account.take("lora_target", "adapter.target_modules"))
    if account.true("pissa_init") and draft.get("adapter") == "lora":
        draft.set(
            "adapter.init_lora_weights", "pissa", account.take("pissa_init", "adapter.init_lora_weights"), note="by the exact decomposition"
        )
    elif account.true("pissa_init"):
        account.refuse("pissa_init", "it goes with `adapter: lora`")
    else:
        account.skip("pissa_init", "it asks for nothing with this value")


def frozen(account: Account, draft: Draft) -> None:
    layers = account.number("freeze_trainable_layers")
    if layers < 0:
        account.refuse("freeze_trainable_layers", "the last layers train, not the first", "name layers in `trainable_modules`")
    else:
        draft.set("adapter.trainable_layers", layers, account.take("freeze_trainable_layers", "adapter.trainable_layers"))
    if account.names("freeze_trainable_modules") == ["all"]:
        account.take("freeze_trainable_modules", "adapter")
    else:
        account.refuse("freeze_trainable_modules", "the last layers train whole", "name parts in `trainable_modules`")
    if further := account.names("freeze_extra_modules"):
        draft.set("adapter.trainable_modules", further, account.take("freeze_extra_modules", "adapter.trainable_modules"))


def rows(account: Account, draft: Draft, options: Options) -> None:
    if options.data:
        draft.set("data", options.data, note="--data")
        for key in ("dataset", "dataset_dir", "mix_strategy", "interleave_probs"):
            account.skip(key, "--data names other rows")
    else:
        info, stage = DatasetInfo(account, options), account.text("stage")
        for key, to in (("dataset", "data"), ("eval_dataset", "validation")):
            names = account.names(key)
            parts = [info.data(name, draft, stage) for name in names]
            if parts:
                draft.set(to, mixed(account, parts) if to == "data" else _one(parts), account.take(key, to))
        if "data" not in draft.values:
            draft.remarks.append("the configuration names no rows: write `data`, or say --data FILE")
            draft.set("data", "train.jsonl", note="to be filled in")
    bounded(account, draft, options)
    split(account, draft, options)
    template(account, draft)


def bounded(account: Account, draft: Draft, options: Options) -> None:
    """`max_samples` takes the first rows of each dataset; it matters where there are more."""
    most, data = account.number("max_samples", 0), draft.get("data")
    parts = data if isinstance(data, list) else [data]
    counts = [
        rows_of({key: value for key, value in part.items() if key != "weight"} if isinstance(part, dict) else part, options.written_to)
        for part in parts
    ]
    if not most or all(0 < count <= most for count in counts):
        account.skip("max_samples", "the files hold no more rows")
    else:
        account.refuse("max_samples", "all rows of a file are read", "write a file with so many rows")


def mixed(account: Account, parts: list[Any]) -> Any:
    shares = account.names("interleave_probs")
    strategy = account.text("mix_strategy")
    if len(parts) > 1 and strategy == "interleave_under" and len(shares) == len(parts):
        account.take("mix_strategy", "data")
        account.take("interleave_probs", "data")
        whole = [part if isinstance(part, dict) else {"path": part} for part in parts]
        return [{**part, "weight": float(share)} for part, share in zip(whole, shares, strict=True)]
    if strategy == "concat":
        account.take("mix_strategy", "data")
    else:
        account.refuse("mix_strategy", "no row is taken twice", "interleave_under with interleave_probs, or concat")
    account.skip("interleave_probs", "the files are read one after the other")
    return _one(parts)


def _one(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else parts


def split(account: Account, draft: Draft, options: Options) -> None:
    size = account.number("val_size")
    if not size:
        account.skip("val_size", "it asks for nothing with this value")
        return
    if "validation" in draft.values:
        account.skip("val_size", "there is a file to validate on")
        return
    count = known_rows(draft, options)
    if size >= 1 and not count:
        account.refuse(
            "val_size", "the share of rows that are held out is not known without their number", "say how many there are: --rows N"
        )
        return
    share = round(size / count, 6) if size >= 1 else size
    to = "settings.validation_split"
    draft.set(to, min(share, 0.5), account.take("val_size", to))


def template(account: Account, draft: Draft) -> None:
    name = account.text("template")
    if name in _OTHERS_TEMPLATES:
        account.refuse(
            "template", "rows are written by the model's own chat template", "give the model that template in its tokenizer_config.json"
        )
    elif name:
        account.skip("template", "rows are written by the model's own chat template; `tunesmith data preview` shows them")


def lengths(account: Account, draft: Draft) -> None:
    draft.set("settings.max_length", account.number("cutoff_len"), account.take("cutoff_len", "settings.max_length"))
    if draft.get("objective") not in ("pretrain", "ppo"):
        draft.set("settings.truncation", "truncate", note="as there")


def optimizers(account: Account, draft: Draft) -> None:
    for key, name in (("use_galore", "galore"), ("use_apollo", "apollo"), ("use_muon", "muon")):
        if not account.true(key):
            account.skip(key, "it asks for nothing with this value")
            continue
        draft.drop("optimizer")
        draft.set("optimizer", name, account.take(key, "optimizer"))
        account.skip("optim", f"`{key}` goes before it there")
    for key in ("galore_target", "apollo_target"):
        if account.names(key) in (["all"], []):
            account.skip(key, "it asks for nothing with this value")
        else:
            account.refuse(key, "all matrices are projected")


def stopping(account: Account, draft: Draft) -> None:
    key, to = "early_stopping_steps", "settings.early_stopping_patience"
    if "settings.eval_steps" not in draft.values:
        account.skip(key, "there are no rows to validate on")
    elif account.get(key):
        draft.set(to, account.number(key), account.take(key, to))
