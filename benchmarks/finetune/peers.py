"""Who is compared: how each is installed, told to do the work, and asked for its losses.

Each does the work as its documentation says one should on such a machine; `+packing` is the same with the packing that it offers there.
What differs from a peer's defaults and costs it time is switched off (gradient checkpointing, evaluation, saving, reports to services).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from work import ALPHA, BATCH, LONGEST, RANK, Work

HERE = Path(__file__).resolve().parent
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"  # as the model's own template has it
ROW = 1200  # tokens of a packed row: about a batch's
PINS = ("torch==2.13.0",)  # as on the machine that the figures in the documentation are from
#: msgspec is imported by it and not required
SWIFT = ("ms-swift==4.6.0", "transformers<5.20", "trl<1.0", "peft<0.21", "bitsandbytes==0.50.2", "msgspec", *PINS)


@dataclass(frozen=True)
class Peer:
    """Args:
    requirements: of its environment; none: this one.
    absent: what must not be there (torchvision and torchaudio have no build for every torch).
    stubs: modules that it imports and does not use here, put there empty.
    """

    name: str
    requirements: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    stubs: tuple[str, ...] = ()
    packing: bool = False

    @property
    def environment(self) -> str:
        return self.name.partition("+")[0]


PEERS = {
    peer.name: peer
    for peer in (
        Peer("tunesmith"),
        Peer("ms-swift", SWIFT, ("torchvision", "torchaudio")),
        Peer("llamafactory", ("llamafactory==0.9.5", *PINS), ("torchvision", "torchaudio"), ("torchaudio",)),
        Peer("llamafactory+packing", ("llamafactory==0.9.5", *PINS), ("torchvision", "torchaudio"), ("torchaudio",), packing=True),
        Peer("trl", ("trl==1.16.0", "transformers==5.23.0", "peft==0.21.2", "datasets", *PINS)),
        Peer("trl+packing", ("trl==1.16.0", "transformers==5.23.0", "peft==0.21.2", "datasets", *PINS), packing=True),
    )
}


def command(peer: Peer, work: Work, bin: Path, out: Path) -> Sequence[str]:
    """What to run in `out`; `bin` has the environment's programs."""
    if peer.environment == "tunesmith":
        return _tunesmith(work)
    if peer.environment == "ms-swift":
        return _swift(work, bin, out)
    if peer.environment == "llamafactory":
        return _llamafactory(work, bin, out, peer.packing)
    return [str(bin / "python"), str(HERE / "trl_sft.py"), str(_written(out, work, peer.packing))]


def losses(peer: Peer, out: Path) -> list[float]:
    """By step."""
    if peer.environment == "tunesmith":
        path = next(out.glob(".tunesmith/store/*/*/files/training_log.jsonl"))
        return [json.loads(line)["loss"] for line in path.read_text().splitlines()]
    if peer.environment == "ms-swift":
        lines = map(json.loads, next(out.rglob("logging.jsonl")).read_text().splitlines())
        return [line["loss"] for line in lines if "loss" in line]
    state = json.loads(next(out.rglob("trainer_state.json")).read_text())
    return [point["loss"] for point in state["log_history"] if "loss" in point]


def _tunesmith(work: Work) -> list[str]:
    options = {
        "model": work.model, "data": work.shuffled, "adapter": work.adapts, "batch-size": BATCH,
        "max-length": LONGEST, "learning-rate": work.rate, "lr-scheduler-type": "constant", "warmup-ratio": 0, "save-seconds": 0,
        "dtype": work.precision,
        "train-on": work.train_on,
    }  # fmt: skip
    if work.adapts != "full":
        options |= {"adapter.r": RANK, "adapter.alpha": ALPHA}
    program = str(Path(sys.executable).with_name("tunesmith"))
    return [program, "sft", *(word for key, value in options.items() for word in (f"--{key}", str(value)))]


def _swift(work: Work, bin: Path, out: Path) -> list[str]:
    everything = work.train_on == "all"
    options = {
        "model": work.model, "model_type": "llama", "template": "chatml", "system": SYSTEM, "template_backend": "jinja" if everything else
        "swift",
        "dataset": work.rows, "dataset_shuffle": "false", "train_dataloader_shuffle": "false",
        "split_dataset_ratio": 0, "tuner_type": "full" if work.adapts == "full" else "lora",
        "loss_scale": "all" if everything else "default",
        "max_length": LONGEST, "torch_dtype": work.precision, "num_train_epochs": 1, "per_device_train_batch_size": BATCH,
        "gradient_accumulation_steps": 1, "learning_rate": work.rate, "lr_scheduler_type": "constant", "warmup_ratio": 0, "weight_decay": 0,
        "adam_beta2": 0.999, "max_grad_norm": 1.0, "logging_steps": 1, "save_strategy": "no", "eval_strategy": "no", "report_to": "none",
        "gradient_checkpointing": "false", "dataloader_num_workers": 0, "dataset_num_proc": 1, "attn_impl": "sdpa", "output_dir": out / "o",
        "use_cpu": "true",
    }  # fmt: skip
    if work.adapts != "full":
        options |= {"adapters": work.adapter, "load_args": "false"}
    if work.adapts == "qlora":
        options |= {
            "quant_method": "bnb", "quant_bits": 4, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": "true",
            "bnb_4bit_compute_dtype": work.precision,
        }  # fmt: skip
    return [str(bin / "swift"), "sft", *(word for key, value in options.items() for word in (f"--{key}", str(value)))]


def _llamafactory(work: Work, bin: Path, out: Path, packing: bool) -> list[str]:
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}
    info = {"work": {"file_name": str(work.rows), "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}}
    (out / "dataset_info.json").write_text(json.dumps(info))
    options = {
        "model_name_or_path": str(work.model), "adapter_name_or_path": str(work.adapter), "stage": "sft", "do_train": True,
        "finetuning_type": "lora", "dataset": "work", "dataset_dir": str(out), "template": "smollm2", "cutoff_len": LONGEST,
        "disable_shuffling": True, "overwrite_cache": True, "preprocessing_num_workers": 1, "dataloader_num_workers": 0,
        "train_on_prompt": work.train_on == "all", "output_dir": str(out / "o"), "logging_steps": 1, "save_strategy": "no",
        "report_to": "none", "per_device_train_batch_size": BATCH, "gradient_accumulation_steps": 1, "learning_rate": work.rate,
        "num_train_epochs": 1.0, "lr_scheduler_type": "constant", "warmup_ratio": 0.0, "weight_decay": 0.0, "max_grad_norm": 1.0,
        "bf16": work.precision == "bfloat16", "disable_gradient_checkpointing": True, "use_cpu": True, "seed": 0, "flash_attn": "sdpa",
    }  # fmt: skip
    if packing:
        options |= {"packing": True, "neat_packing": True, "cutoff_len": ROW, "per_device_train_batch_size": 1}
    (out / "train.yaml").write_text(json.dumps(options))
    return [str(bin / "llamafactory-cli"), "train", str(out / "train.yaml")]


def _written(out: Path, work: Work, packing: bool) -> Path:
    """What `trl_sft.py` is to do."""
    settings = {
        "model": str(work.model), "adapter": str(work.adapter), "rows": str(work.rows), "out": str(out / "o"), "batch": BATCH,
        "rate": work.rate, "longest": LONGEST, "bf16": work.precision == "bfloat16", "packing": ROW if packing else 0,
        "answers": work.train_on == "assistant",
    }  # fmt: skip
    path = out / "work.json"
    path.write_text(json.dumps(settings))
    return path
