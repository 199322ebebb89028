"""axolotl: its YAML."""

from __future__ import annotations

from tunesmith_import.api.contract import Options
from tunesmith_import.importers.axolotl_datasets import rows
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.mapping.table_importer import TableImporter
from tunesmith_import.training.batch import batch, length, total_steps
from tunesmith_import.training.model_source import model
from tunesmith_import.training.optimizer import optimizer
from tunesmith_import.training.schedule import schedule
from tunesmith_import.training.strategy import strategy

_RL = {"dpo": "dpo", "ipo": "dpo", "orpo": "orpo", "kto": "kto", "simpo": "cpo"}
_PAIRS = (
    "sigmoid",
    "hinge",
    "ipo",
    "robust",
    "exo_pair",
    "nca_pair",
    "bco_pair",
    "sppo_hard",
    "aot",
    "apo_zero",
    "apo_down",
    "discopop",
    "sft",
)
_WANDB = {"wandb_project": "project", "wandb_entity": "entity", "wandb_name": "name", "wandb_mode": "mode"}
_MLFLOW = {"mlflow_tracking_uri": "tracking_uri", "mlflow_experiment_name": "experiment_name", "mlflow_run_name": "run_name"}
_USUAL_WARMUP = 0.03
_TRUNCATIONS = {"drop": "drop", "truncate": "truncate", "raise": "error"}


class Axolotl(TableImporter):
    table = "axolotl"
    commands = ("axolotl",)

    def shape(self, account: Account, draft: Draft, options: Options) -> None:
        account.skip("$1", "it names this file")
        model(account, draft, options, "base_model", "revision_of_model")
        objective(account, draft)
        adapter(account, draft)
        rows(account, draft, options)
        batch(account, draft, options, "micro_batch_size")
        account.skip("batch_size", "micro_batch_size and gradient_accumulation_steps say it")
        length(account, draft, options, "num_epochs")
        rate(account, draft, options)
        optimizer(account, draft, "optimizer")
        precision(account, draft)
        validation(account, draft, options)
        tracking(account, draft)
        strategy(account, draft, options)
        rest(account, draft)


def objective(account: Account, draft: Draft) -> None:
    rl = account.text("rl").lower()
    if rl in _RL:
        draft.set("objective", _RL[rl], account.take("rl", "objective"))
        preference(account, draft, rl)
    elif account.true("reward_model"):
        draft.set("objective", "reward", account.take("reward_model", "objective"))
        if account.get("center_rewards_coefficient"):
            to = "objective.center_rewards_coefficient"
            draft.set(to, account.number("center_rewards_coefficient"), account.take("center_rewards_coefficient", to))
    elif account.below("pretraining_dataset") or _types(account) == {"completion"}:
        draft.set("objective", "pretrain", note="rows are texts")
    else:
        draft.set("objective", "sft", note="neither rl nor reward_model is on")
        if account.true("train_on_inputs"):
            draft.set("objective.train_on", "all", account.take("train_on_inputs", "objective.train_on"))
    if rl and rl not in _RL:
        account.refuse("rl", "there is no such loss", "dpo, ipo, orpo, kto or simpo; for GRPO write `train: grpo` with its rewards")
    account.skip("reward_model", "it asks for nothing with this value") if not account.true("reward_model") else None
    account.skip("train_on_inputs", "it asks for nothing with this value") if not account.true("train_on_inputs") else None


def _types(account: Account) -> set[str]:
    return {account.text(key) for key in account.below("datasets") if key.endswith(".type")}


def preference(account: Account, draft: Draft, rl: str) -> None:
    key = next((name for name in ("rl_beta", "dpo_beta", "orpo_alpha") if account.get(name)), "rl_beta")
    draft.set("objective.beta", account.number(key, 0.1), account.take(key, "objective.beta"))
    for other in {"rl_beta", "dpo_beta", "orpo_alpha"} - {key}:
        account.skip(other, f"`{key}` goes before it there")
    if rl == "ipo":
        draft.set("objective.loss_type", "ipo", account.take("rl", "objective.loss_type"))
    elif rl == "dpo" and account.get("dpo_loss_type"):
        losses = account.names("dpo_loss_type")
        if all(loss in _PAIRS for loss in losses):
            draft.set(
                "objective.loss_type", losses[0] if len(losses) == 1 else losses, account.take("dpo_loss_type", "objective.loss_type")
            )
            if isinstance(account.get("dpo_loss_weights"), list):
                to = "objective.loss_weights"
                draft.set(to, account.get("dpo_loss_weights"), account.take("dpo_loss_weights", to))
        else:
            account.refuse("dpo_loss_type", "there is no such loss", "see `tunesmith plugin list objective`")
    elif rl == "simpo":
        draft.set("objective.loss_type", "simpo", account.take("rl", "objective.loss_type"))
        for name, usual in (("simpo_gamma", 0.5), ("cpo_alpha", 1.0)):
            draft.set(f"objective.{name}", account.number(name, usual), account.take(name, f"objective.{name}"))


def adapter(account: Account, draft: Draft) -> None:
    kind = account.text("adapter").lower()
    if kind not in ("lora", "qlora"):
        if kind:
            account.refuse(
                "adapter", "there is no such method", "see `tunesmith plugin list adapter` and `tunesmith plugin list optimizer`"
            )
        draft.set("adapter", "full", note="no adapter is named")
        for key in ("load_in_4bit", "load_in_8bit", "lora_r", "lora_target_linear", "lora_target_modules", "peft_use_dora"):
            account.skip(key, "no adapter is named")
        return
    four = kind == "qlora" or account.true("load_in_4bit")
    name = "qlora" if four else "dora" if account.true("peft_use_dora") else "lora"
    draft.set("adapter", name, account.take("adapter", "adapter"))
    if account.true("load_in_4bit"):
        account.take("load_in_4bit", "adapter")
    if account.true("load_in_8bit") and not four:
        account.refuse("load_in_8bit", "a base is trained beside in 4 bits of bitsandbytes, with LoRA", "`adapter: qlora`")
    for key in ("load_in_4bit", "load_in_8bit", "peft_use_dora"):
        if not account.true(key):
            account.skip(key, "it asks for nothing with this value")
    if name == "dora":
        account.take("peft_use_dora", "adapter")
    draft.set("adapter.r", account.number("lora_r", 8), account.take("lora_r", "adapter.r"))
    targets(account, draft)


def targets(account: Account, draft: Draft) -> None:
    to = "adapter.target_modules"
    modules = account.names("lora_target_modules")
    linear = account.true("lora_target_linear")
    if linear:
        draft.set(to, ["all-linear"], account.take("lora_target_linear", to))
        account.skip("lora_target_modules", "lora_target_linear is on")
        return
    account.skip("lora_target_linear", "it asks for nothing with this value")
    if any(set(name) & set("()|*\\") for name in modules):
        account.refuse("lora_target_modules", "layers are named, not matched by an expression", "name layers in `target_modules`")
    elif modules:
        draft.set(to, modules, account.take("lora_target_modules", to))
    if not draft.get(to):
        draft.set(to, ["q_proj", "v_proj"], note="PEFT's for Llama and Qwen; of some families it has others")


def rate(account: Account, draft: Draft, options: Options) -> None:
    if account.get("warmup_ratio") is None and account.get("warmup_steps") is None and account.text("lr_scheduler") != "constant":
        account.default("warmup_ratio", _USUAL_WARMUP)
    schedule(account, draft, options, "lr_scheduler")


def precision(account: Account, draft: Draft) -> None:
    to, on = (
        "settings.dtype",
        [key for key in ("bf16", "bfloat16", "fp16", "float16", "float32") if account.given(key) and account.true(key)],
    )
    word = account.text("bf16")
    if word == "auto":
        draft.set(to, "auto", account.take("bf16", to))
    elif on:
        draft.set(to, {"b": "bfloat16", "f": "float16"}[on[0][0]] if on[0] != "float32" else "float32", account.take(on[0], to))
    else:
        draft.set(to, "float32", note="neither bf16 nor fp16 is on")
    for key in ("bf16", "bfloat16", "fp16", "float16", "float32"):
        if key not in on[:1]:
            account.take(key, to) if key == "bf16" and word == "auto" else account.skip(key, "it asks for nothing with this value")


def validation(account: Account, draft: Draft, options: Options) -> None:
    keys = (
        "eval_steps",
        "eval_strategy",
        "evaluation_strategy",
        "evals_per_epoch",
        "load_best_model_at_end",
        "early_stopping_patience",
        "metric_for_best_model",
    )
    if "validation" not in draft.values and not draft.get("settings.validation_split"):
        for key in keys:
            account.skip(key, "there are no rows to validate on")
        return
    to, total = "settings.eval_steps", total_steps(draft, options)
    steps = account.number("eval_steps", 0)
    if account.get("evals_per_epoch"):
        _per_epoch(account, draft, total)
    elif steps >= 1 or (steps and total):
        draft.set(to, max(1, int(steps if steps >= 1 else steps * total)), account.take("eval_steps", to))
    elif steps:
        account.refuse("eval_steps", "how many steps there are is not known without the rows", "say how many rows there are: --rows N")
    else:
        draft.set(to, 0, note="at the end of each epoch")
        account.take("eval_strategy", to)
    account.skip("eval_strategy", "how often is said otherwise")
    best = account.true("load_best_model_at_end")
    draft.set("settings.load_best_model_at_end", best, account.take("load_best_model_at_end", "settings.load_best_model_at_end"))
    if account.get("early_stopping_patience"):
        to = "settings.early_stopping_patience"
        draft.set(to, account.number("early_stopping_patience"), account.take("early_stopping_patience", to))
    account.skip("metric_for_best_model", "the validation loss says which is best")


def _per_epoch(account: Account, draft: Draft, total: int) -> None:
    to, number, epochs = "settings.eval_steps", account.number("evals_per_epoch"), draft.get("settings.num_train_epochs", 1)
    origin = account.take("evals_per_epoch", to)
    if number == 1 or not total:
        draft.set(to, 0, origin, note="at the end of each epoch")
        if number != 1:
            account.refuse(
                "evals_per_epoch", "how many steps there are is not known without the rows", "say how many rows there are: --rows N"
            )
    else:
        draft.set(to, max(1, int(total / (number * epochs))), origin)
    account.skip("eval_steps", "`evals_per_epoch` goes before it there")


def tracking(account: Account, draft: Draft) -> None:
    for switch, tracker, names in (
        ("use_wandb", "wandb", _WANDB),
        ("use_mlflow", "mlflow", _MLFLOW),
        ("use_tensorboard", "tensorboard", {}),
    ):
        named = [key for key in names if account.get(key)]
        if not account.true(switch) and not named:
            for key in (switch, *names):
                account.skip(key, "no tracker is named")
            continue
        draft.set(f"track.{tracker}", None, account.take(switch, f"track.{tracker}") if account.given(switch) else account.origin(named[0]))
        for key in named:
            path = f"track.{tracker}.{names[key]}"
            draft.set(path, account.text(key), account.take(key, path))
        for key in {*names} - {*named}:
            account.skip(key, "nothing is given")


def rest(account: Account, draft: Draft) -> None:
    cut = account.text("excess_length_strategy")
    if draft.get("objective") != "pretrain" or account.given("excess_length_strategy"):
        draft.set("settings.truncation", _TRUNCATIONS.get(cut, "drop"), account.take("excess_length_strategy", "settings.truncation"))
    if account.given("gradient_checkpointing"):
        on = account.get("gradient_checkpointing")
        to = "settings.gradient_checkpointing"
        draft.set(to, bool(on) and on not in ("false", "no"), account.take("gradient_checkpointing", to))
    steps = account.number("save_steps", 0)
    if steps >= 1:
        draft.set("settings.save_steps", int(steps), account.take("save_steps", "settings.save_steps"))
    else:
        account.skip("save_steps", "checkpoints are for going on after a crash, and are made by time and steps")
    for key in account.below("special_tokens"):
        if key in ("special_tokens", "special_tokens.pad_token"):
            account.skip(key, "nothing is padded")
        else:
            account.refuse(key, "the vocabulary stays as the model has it", "change them in the model's tokenizer_config.json")
    account.skip("peft_init_lora_weights", "the update begins at nothing") if account.get("peft_init_lora_weights") in (
        None,
        True,
    ) else None
    if account.get("peft_init_lora_weights") not in (None, True):
        account.refuse("peft_init_lora_weights", "it has no such value here", "kaiming, pissa or eva")
