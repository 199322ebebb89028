"""The work by TRL's trainer of an objective with PEFT's LoRA: `python trl_align.py WORK`, a file of JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
from datasets import Dataset, load_dataset
from peft import PeftConfig, PeftModel
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

work = json.loads(Path(sys.argv[1]).read_text())
library = importlib.import_module(work["library"])
Trainer, Config = (getattr(library, work["trainer"] + part) for part in ("Trainer", "Config"))


class InOrder(Trainer):
    def _get_train_sampler(self, dataset=None):
        if work["trainer"] == "GRPO":  # a sampler of its own, which repeats prompts, and is told not to shuffle
            return super()._get_train_sampler(dataset)
        return SequentialSampler(dataset if dataset is not None else self.train_dataset)


def short(completions, **columns):
    """The reward of `grpo`, as ours has it."""
    return [min(1.0, max(0.0, 1 - (len(turns[-1]["content"]) - 200) / 200)) for turns in completions]


dtype = torch.bfloat16 if work["bf16"] else torch.float32
if work["trainer"] == "Reward":
    model = AutoModelForSequenceClassification.from_pretrained(work["model"], num_labels=1, dtype=dtype)
else:
    model = AutoModelForCausalLM.from_pretrained(work["model"], dtype=dtype)
config = PeftConfig.from_pretrained(work["adapter"])
config.task_type = None if work["trainer"] == "Reward" else config.task_type  # it was saved of a causal model
model = PeftModel.from_pretrained(model, work["adapter"], is_trainable=True, config=config)
if work["trainer"] == "Reward":
    model.base_model.model.score.requires_grad_(True)
tokenizer = AutoTokenizer.from_pretrained(work["model"])
known = Config.__dataclass_fields__
wanted = {
    "output_dir": work["out"], "learning_rate": work["rate"], "num_train_epochs": 1, "lr_scheduler_type": "constant", "warmup_steps": 0,
    "weight_decay": 0.0, "max_grad_norm": 1.0, "logging_steps": 1, "save_strategy": "no", "report_to": "none", "use_cpu": True,
    "bf16": work["bf16"], "seed": 0, "gradient_checkpointing": False, "dataloader_num_workers": 0, "max_length": work["longest"],
    "max_prompt_length": None, "per_device_train_batch_size": work["batch"], **work["settings"],
}  # fmt: skip
arguments = Config(**{name: value for name, value in wanted.items() if name in known})
data = load_dataset("json", data_files=work["rows"], split="train")
if work["trainer"] == "SFT":  # so it trains on the answers alone, without marks in the template
    parts = [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in data]
    data = Dataset.from_list(parts)
beside = {"teacher_model": AutoModelForCausalLM.from_pretrained(work["teacher"], dtype=dtype)} if work["teacher"] else {}
beside |= {"reward_funcs": short} if work["trainer"] == "GRPO" else {}
trainer = InOrder(model=model, args=arguments, train_dataset=data, processing_class=tokenizer, **beside)
trainer.train()
trainer.save_state()
