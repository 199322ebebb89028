"""unsloth: the arguments of its calls in a script or a notebook, as far as they are plain values. Nothing of it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tunesmith_import.api.contract import Options
from tunesmith_import.configuration.configuration import Configuration
from tunesmith_import.importers.trl import TRL
from tunesmith_import.mapping.account import Account, Verdict
from tunesmith_import.mapping.draft import Draft, Origin
from tunesmith_import.mapping.table import MAPPED, NO_EFFECT, read_table
from tunesmith_import.mapping.table_importer import TableImporter

#: argument of a call -> TRL's key for the same
_CALLS = {
    "from_pretrained": {
        "model_name": "model_name_or_path",
        "load_in_4bit": "load_in_4bit",
        "load_in_8bit": "load_in_8bit",
        "max_seq_length": "max_length",
    },
    "get_peft_model": {
        "r": "lora_r",
        "target_modules": "lora_target_modules",
        "lora_alpha": "lora_alpha",
        "lora_dropout": "lora_dropout",
        "use_rslora": "use_rslora",
        "use_dora": "use_dora",
        "modules_to_save": "lora_modules_to_save",
    },
    "trainer": {
        "max_seq_length": "max_length",
        "dataset_text_field": "dataset_text_field",
        "packing": "packing",
        "beta": "beta",
        "dataset_num_proc": "dataset_num_proc",
    },
    "load_dataset": {"data_files": "dataset_name"},
}
_SAME = "it changes how fast the same is computed; there are kernels of our own"
_OBJECTS = "it is an object of the script"
#: arguments without a key of TRL's -> the reason
_SKIPPED: Mapping[str, str] = {
    "from_pretrained.dtype": "the device says what is computed in",
    "from_pretrained.token": "tokens are read from the environment, never from a file",
    "from_pretrained.full_finetuning": "no adapter is made then",
    "from_pretrained.fast_inference": _SAME,
    "from_pretrained.gpu_memory_utilization": _SAME,
    "from_pretrained.max_lora_rank": _SAME,
    "from_pretrained.trust_remote_code": "code that comes with a model is never run",
    "get_peft_model.$1": _OBJECTS,
    "get_peft_model.bias": "biases stay as they are",
    "get_peft_model.random_state": "one seed makes everything random",
    "get_peft_model.use_gradient_checkpointing": "the plan says where it is needed",
    "get_peft_model.loftq_config": "the update begins at nothing",
    "get_peft_model.task_type": "the objective says it",
    "get_peft_model.layers_to_transform": "it asks for nothing with this value",
    "get_peft_model.finetune_language_layers": "the adapter's `target_modules` say what of the model trains",
    "get_peft_model.finetune_attention_modules": "the adapter's `target_modules` say what of the model trains",
    "get_peft_model.finetune_mlp_modules": "the adapter's `target_modules` say what of the model trains",
    "get_peft_model.finetune_vision_layers": "the adapter's `target_modules` say what of the model trains",
    "trainer.model": _OBJECTS,
    "trainer.tokenizer": _OBJECTS,
    "trainer.processing_class": _OBJECTS,
    "trainer.args": _OBJECTS,
    "trainer.train_dataset": _OBJECTS,
    "trainer.eval_dataset": _OBJECTS,
    "trainer.data_collator": _OBJECTS,
    "trainer.ref_model": _OBJECTS,
    "trainer.formatting_func": _OBJECTS,
    "load_dataset.$1": "the file says it",
    "load_dataset.split": "a file is one split",
    "get_chat_template": "rows are written by the model's own chat template; `tunesmith data preview` shows them",
    "train_on_responses_only": "what the assistant says is trained on",
}
_METHODS = {"SFT": "sft", "DPO": "dpo", "KTO": "kto", "ORPO": "orpo", "CPO": "cpo", "Reward": "reward", "GRPO": "grpo"}


class Unsloth(TableImporter):
    table = "unsloth"

    def keys(self) -> Mapping[str, str]:
        theirs = TRL().keys()
        found = {f"{call}.{name}": MAPPED for call, names in _CALLS.items() for name in names} | dict.fromkeys(_SKIPPED, NO_EFFECT)
        return found | {f"args.{name}": kind for name, kind in theirs.items()}

    def claim(self, configuration: Configuration) -> float:
        return float(configuration.form == "script") * 0.9

    def translate(self, configuration: Configuration, options: Options) -> tuple[Draft, Account]:
        """By TRL's keys; the account keeps the script's own names."""
        names: dict[str, str] = {}
        again = []
        for entry in configuration.entries:
            call, _, argument = entry.key.partition(".")
            key = argument if call == "args" else _CALLS.get(call, {}).get(argument, "")
            if key in names:
                again.append(entry.key)
            elif key and entry.key not in _SKIPPED:
                names[key] = entry.key
        account = ScriptAccount(configuration, names)
        for key in again:
            account.skip(key, "another argument of the script says the same, and that is read")
        for entry in account.configuration.entries:
            reason = _SKIPPED.get(entry.key) or _SKIPPED.get(entry.key.partition(".")[0])
            if reason:
                account.skip(entry.key, reason)
        draft = Draft()
        method = next((name for start, name in _METHODS.items() if configuration.command.startswith(start)), "sft")
        trainer = _Trainer(method)
        trainer.complete(account, draft, options)
        return draft, account


class ScriptAccount(Account):
    """An account by TRL's keys of a script's arguments: ``lora_r`` is ``get_peft_model.r`` there. What it tells has the script's names."""

    def __init__(self, configuration: Configuration, names: Mapping[str, str]) -> None:
        renamed = {theirs: key for key, theirs in names.items()}
        entries = (replace(entry, key=renamed.get(entry.key, entry.key)) for entry in configuration.entries)
        super().__init__(replace(configuration, entries=tuple(entries)), read_table(TRL.table))
        self._names = names
        if any(entry.key.startswith("get_peft_model") for entry in configuration.entries):
            self.default("use_peft", True)
        self.default("lora_dropout", 0.0)
        self.default("lora_alpha", 16)

    def take(self, key: str, to: str) -> Origin:
        return replace(super().take(key, to), key=self._names.get(key, key))

    def origin(self, key: str) -> Origin:
        return replace(super().origin(key), key=self._names.get(key, key))

    def verdicts(self) -> list[Verdict]:
        return [replace(one, entry=replace(one.entry, key=self._names.get(one.entry.key, one.entry.key))) for one in super().verdicts()]


class _Trainer(TRL):
    """TRL's importer for a method that the script tells."""

    def __init__(self, method: str) -> None:
        self.method = method

    def complete(self, account: Account, draft: Draft, options: Options) -> None:
        self.shape(account, draft, replace(options, method=self.method))
        if "train_on_responses_only" in {entry.key.partition(".")[0] for entry in account.configuration.entries}:
            draft.set("objective.train_on", "assistant", note="train_on_responses_only")
        self._apply(account, draft)
        account.close()
