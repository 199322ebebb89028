"""What each runs for the same pairs, and the losses that it wrote down."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peers
from environment import environment
from pairs import BATCH, LONGEST, OBJECTIVES, OURS_BESIDE, RATE, SWIFT, TAUGHT, Pairs

OURS = "tunesmith"
PEERS = ("trl", "ms-swift")


def command(who: str, work: Pairs, out: Path, environments: Path) -> Sequence[str | Path]:
    """To be run in `out`."""
    if who == OURS:
        return _tunesmith(work)
    bin = environment(peers.PEERS[who], environments) / "bin"
    return _trl(work, bin, out) if who == "trl" else _swift(work, bin, out)


def losses(who: str, out: Path) -> list[float]:
    """By step."""
    return peers.losses(peers.PEERS[who], out)


def lengths(who: str, out: Path) -> float:
    """Tokens of a completion on average, of one that samples."""
    if who == OURS:
        lines = next(out.glob(".tunesmith/store/*/*/files/training_log.jsonl")).read_text().splitlines()
        points = [json.loads(line) for line in lines]
    else:
        points = json.loads(next(out.rglob("trainer_state.json")).read_text())["log_history"]
    return statistics.fmean(point["completions/mean_length"] for point in points if "completions/mean_length" in point)


def _tunesmith(work: Pairs) -> list[str]:
    options = {
        "model": work.model, "data": work.shuffled, "adapter": "lora", "adapter.r": 8, "adapter.alpha": 16, "batch-size": BATCH,
        "max-length": LONGEST, "learning-rate": RATE, "lr-scheduler-type": "constant", "warmup-ratio": 0, "save-seconds": 0,
        "dtype": work.precision,
        **{name.replace("_", "-"): value for name, value in OURS_BESIDE.get(work.objective, {}).items()},
    }  # fmt: skip
    if work.objective == TAUGHT:
        options["teacher"] = work.teacher
    program = str(Path(sys.executable).with_name("tunesmith"))
    return [program, work.objective, *(str(word) for key, value in options.items() for word in (f"--{key}", value))]


def _trl(work: Pairs, bin: Path, out: Path) -> list[str | Path]:
    library, trainer, settings = OBJECTIVES[work.objective]
    told = {
        "library": library, "trainer": trainer, "settings": dict(settings), "model": str(work.model), "adapter": str(work.adapter),
        "rows": str(work.rows), "out": str(out / "o"), "batch": BATCH, "rate": RATE, "longest": LONGEST,
        "bf16": work.precision == "bfloat16", "teacher": str(work.teacher) if work.objective == TAUGHT else "",
    }  # fmt: skip
    (out / "work.json").write_text(json.dumps(told))
    return [bin / "python", Path(__file__).with_name("trl_align.py"), out / "work.json"]


def _swift(work: Pairs, bin: Path, out: Path) -> list[str | Path]:
    """A reward model begins with an adapter of its own: the one that is there is a causal model's."""
    rows = [json.loads(line) for line in work.rows.read_text(encoding="utf-8").splitlines()]
    (out / "rows.jsonl").write_text("".join(json.dumps(_swift_row(row)) + "\n" for row in rows), encoding="utf-8")
    name, settings = SWIFT[work.objective]
    options: dict[str, Any] = {
        "model": work.model, "model_type": "llama", "template": "chatml", "system": peers.SYSTEM,
        "template_backend": "swift", "dataset": out / "rows.jsonl", "dataset_shuffle": "false", "train_dataloader_shuffle": "false",
        "split_dataset_ratio": 0, "tuner_type": "lora", "lora_rank": 8, "lora_alpha": 16, "lora_dropout": 0, "max_length": LONGEST,
        "torch_dtype": work.precision, "num_train_epochs": 1, "per_device_train_batch_size": BATCH, "gradient_accumulation_steps": 1,
        "learning_rate": RATE, "lr_scheduler_type": "constant", "warmup_ratio": 0, "weight_decay": 0, "adam_beta2": 0.999,
        "max_grad_norm": 1.0, "logging_steps": 1, "save_strategy": "no", "eval_strategy": "no", "report_to": "none",
        "gradient_checkpointing": "false", "dataloader_num_workers": 0, "dataset_num_proc": 1, "attn_impl": "sdpa",
        "output_dir": out / "o", "use_cpu": "true", **settings,
    }  # fmt: skip
    if name:
        options["rlhf_type"] = name
    if work.objective == TAUGHT:
        options |= {"teacher_model": work.teacher, "teacher_model_type": options["model_type"]}
    if work.objective != "reward":
        options |= {"adapters": work.adapter, "load_args": "false"}
    return [bin / "swift", "rlhf" if name else "sft", *(str(word) for key, value in options.items() for word in (f"--{key}", value))]


def _swift_row(row: dict[str, Any]) -> dict[str, Any]:
    if "messages" in row:
        return row
    if "label" in row:
        return {"messages": [*row["prompt"], {"role": "assistant", "content": row["completion"][0]["content"]}], "label": row["label"]}
    return {"messages": [*row["prompt"], *row["chosen"]], "rejected_response": row["rejected"][0]["content"]}
