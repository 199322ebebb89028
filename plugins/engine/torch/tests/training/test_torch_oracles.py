"""The same rows give the same losses, gradients and weights as TRL's trainers on PEFT's LoRA."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file

from tunesmith_data.api import text_of
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api.model import load_model
from tunesmith_torch.api.text import load_tokenizer
from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.training.seed import derived
from tunesmith_torch_optim.adamw import AdamW
from tunesmith_torch_optim.settings import AdamWSettings

pytestmark = pytest.mark.slow

STEPS, BATCH, SEED, RATE = 4, 4, 7, 5e-3
SETTINGS = {
    "num_train_epochs": 9, "max_steps": STEPS, "batch_size": BATCH, "learning_rate": RATE, "lr_scheduler_type": "linear",
    "warmup_ratio": 0.0,
    "max_grad_norm": 0.2,
}  # fmt: skip
#: ChatML with nothing after the end of a turn: TRL would learn the line break there, which is never generated.
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def model(tiny, tmp_path_factory):
    """The tiny model with `TEMPLATE`."""
    directory = tmp_path_factory.mktemp("oracle") / "model"
    shutil.copytree(tiny, directory)
    tokenizer = load_tokenizer(directory)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(directory)
    return directory


def decaying():
    return AdamW(AdamWSettings(weight_decay=0.01))


def peft_model(model, tmp_path):
    """PEFT's model with our start of the same seed."""
    from peft import PeftModel

    ours, adapter = load_model(model), Lora(LoraSettings(r=4, lora_alpha=8.0))
    adapter.attach(ours, seed=derived(SEED, "adapter"))
    adapter.save(ours, tmp_path)
    return PeftModel.from_pretrained(load_model(model), tmp_path, is_trainable=True)


def plain(messages):
    return [{"role": m["role"], "content": text_of(m)} for m in messages]


def in_our_order(rows):
    order = BatchSampler(len(rows), BATCH, SEED)
    return [rows[i] for number in range(STEPS) for i in order.batch(number)]


def settings_of_trl(tmp_path):
    return {
        "output_dir": str(tmp_path / "trl"), "max_steps": STEPS, "per_device_train_batch_size": BATCH, "learning_rate": RATE,
        "lr_scheduler_type": "linear", "weight_decay": 0.01, "max_grad_norm": 0.2, "use_cpu": True, "bf16": False, "report_to": [],
        "save_strategy": "no", "logging_steps": 1, "disable_tqdm": True, "train_sampling_strategy": "sequential",
        "gradient_checkpointing": False, "max_length": None,
    }  # fmt: skip


def watch(trainer):
    """Losses and gradient norms of each step, unrounded."""
    from transformers import TrainerCallback

    losses, norms = [], []
    compute = trainer.compute_loss

    def recorded(*args, **kwargs):
        loss = compute(*args, **kwargs)
        losses.append(float(loss))
        return loss

    class Norms(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **kwargs):
            if "grad_norm" in logs:
                norms.append(float(logs["grad_norm"]))

    trainer.compute_loss = recorded
    trainer.add_callback(Norms())
    trainer.train()
    return losses, norms


def compare(bench, output, trainer, losses, norms):
    assert bench.series("loss") == pytest.approx(losses, rel=2e-5)
    assert bench.series("grad_norm") == pytest.approx(norms, rel=2e-3)
    theirs = {name: value for name, value in trainer.model.state_dict().items() if "lora_" in name and ".ref." not in name}
    ours = load_file(output / "adapter_model.safetensors")
    assert len(ours) == len(theirs)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name.replace(".default", "")], value, rtol=1e-3, atol=1e-5)


def test_sft_learns_what_trl_learns(bench, model, chat_rows, tmp_path):
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    bench.base = type(bench.base)("model/hf", model, digest="sha256:base")
    output, _ = bench.train(SETTINGS, rows=chat_rows, optimizer=decaying())
    rows = [{"prompt": plain(r["messages"][:-1]), "completion": plain(r["messages"][-1:])} for r in in_our_order(chat_rows)]
    trainer = SFTTrainer(
        peft_model(model, tmp_path), args=SFTConfig(**settings_of_trl(tmp_path)), train_dataset=Dataset.from_list(rows),
        processing_class=load_tokenizer(model),
    )  # fmt: skip
    losses, norms = watch(trainer)
    compare(bench, output, trainer, losses, norms)


# Without label smoothing: TRL's sigmoid loss passes over it (its formula is checked beside the objective).
def test_dpo_learns_what_trl_learns(bench, model, preference_rows, tmp_path):
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    bench.base = type(bench.base)("model/hf", model, digest="sha256:base")
    objective = DirectPreference(PreferenceSettings(beta=0.3))
    output, _ = bench.train(SETTINGS, rows=preference_rows, objective=objective, optimizer=decaying())
    rows = [
        {"prompt": plain(r["messages"]), "chosen": plain(r["chosen"]), "rejected": plain(r["rejected"])}
        for r in in_our_order(preference_rows)
    ]
    trainer = DPOTrainer(
        peft_model(model, tmp_path), args=DPOConfig(**settings_of_trl(tmp_path), beta=0.3),
        train_dataset=Dataset.from_list(rows), processing_class=load_tokenizer(model),
    )  # fmt: skip
    losses, norms = watch(trainer)
    compare(bench, output, trainer, losses, norms)
    logged = [entry for entry in trainer.state.log_history if "rewards/margins" in entry]
    assert bench.series("rewards/margin") == pytest.approx([entry["rewards/margins"] for entry in logged], abs=1e-4)
    assert bench.series("rewards/accuracy") == pytest.approx([entry["rewards/accuracies"] for entry in logged])
