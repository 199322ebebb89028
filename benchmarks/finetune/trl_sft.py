"""The work by TRL's SFTTrainer with PEFT's LoRA: run in an environment that has them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from datasets import load_dataset
from peft import PeftModel
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

# `assistant_only_loss` wants the answers marked in the template; what the model reads is the same.
MARKED = """\
{%- if messages[0]['role'] != 'system' -%}
{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n' }}
{%- endif -%}
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' -%}
{%- generation -%}{{ message['content'] + '<|im_end|>' }}{%- endgeneration -%}
{%- else -%}
{{ message['content'] + '<|im_end|>' }}
{%- endif -%}
{{ '\\n' }}
{%- endfor -%}
"""


class InOrder(SFTTrainer):
    def _get_train_sampler(self, dataset=None):
        return SequentialSampler(dataset if dataset is not None else self.train_dataset)


work = json.loads(Path(sys.argv[1]).read_text())
model = AutoModelForCausalLM.from_pretrained(work["model"], dtype=torch.bfloat16 if work["bf16"] else torch.float32)
model = PeftModel.from_pretrained(model, work["adapter"], is_trainable=True)
tokenizer = AutoTokenizer.from_pretrained(work["model"])
tokenizer.chat_template = MARKED
packing = {"packing": True, "max_length": work["packing"], "per_device_train_batch_size": 1} if work["packing"] else {}
usual = {"max_length": work["longest"], "per_device_train_batch_size": work["batch"]}
arguments = SFTConfig(
    output_dir=work["out"], learning_rate=work["rate"], num_train_epochs=1, lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0,
    max_grad_norm=1.0, logging_steps=1, save_strategy="no", report_to="none", use_cpu=True, bf16=work["bf16"], seed=0,
    gradient_checkpointing=False, dataloader_num_workers=0, assistant_only_loss=work["answers"], **{**usual, **packing},
)  # fmt: skip
data = load_dataset("json", data_files=work["rows"], split="train")
trainer = InOrder(model=model, args=arguments, train_dataset=data, processing_class=tokenizer)
trainer.train()
trainer.save_state()
