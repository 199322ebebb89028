"""What a larger micro-batch gains on a processor: the same batch of LoRA on SmolLM2-135M cut into forward passes of more and more tokens.

    python benchmarks/micro_batch.py [TOKENS ...]

Prints a row for each, in a process of its own: CPU seconds of a step, tokens of the batch in such a second, the process's peak memory, and
the loss of the first step, which must not depend on the cut.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STEPS, ROWS, REPEATED = 3, 64, 3
SIZES = (1024, 2048, 4096, 8192, 16384)


def measured(tokens: int) -> dict[str, Any]:
    """A short training in this process."""
    from tunesmith.contracts import Artifact
    from tunesmith.contracts.settings import build
    from tunesmith_data.api import message
    from tunesmith_lora.adapter import Lora
    from tunesmith_lora.settings import LoraSettings
    from tunesmith_sdk.local_step import LocalStep
    from tunesmith_sft.objective import SupervisedTuning
    from tunesmith_single.strategy import SingleProcess
    from tunesmith_torch.settings import TrainSettings
    from tunesmith_torch.training.loop import Loop
    from tunesmith_torch.training.train import run
    from tunesmith_torch_optim.adamw import AdamW
    from tunesmith_torch_optim.settings import AdamWSettings

    seconds, step_of = [], Loop._step

    def timed(self: Any, number: int) -> None:
        began = time.process_time()
        step_of(self, number)
        seconds.append(time.process_time() - began)

    Loop._step = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        lines = (ROOT / "examples" / "quickstart" / "train.jsonl").read_text().splitlines()
        texts = [json.loads(line) for line in lines]
        with (data / "rows.jsonl").open("w") as out:
            for at in range(ROWS):
                several = [texts[(at * REPEATED + one) % len(texts)] for one in range(REPEATED)]
                turns = [turn for row in several for turn in (message("user", row["instruction"]), message("assistant", row["output"]))]
                out.write(json.dumps({"messages": turns}) + "\n")
        settings = {
            "num_train_epochs": STEPS,
            "batch_size": ROWS,
            "max_tokens_per_microbatch": tokens,
            "save_steps": 0,
            "save_seconds": 0.0,
        }
        step = LocalStep.make(
            Path(folder) / "step", settings=build(TrainSettings, settings), seed=7,
            inputs={
                "model": Artifact("model/hf", ROOT / "build" / "finetune" / "smollm2", digest="m"),
                "data": Artifact("dataset/chat", data, digest="d"),
            },
            providers={
                "objective": SupervisedTuning(), "adapter": Lora(LoraSettings(r=8)), "strategy": SingleProcess(),
                "optimizer": AdamW(AdamWSettings()),
            },
        )  # fmt: skip
        result = run(step)
    return {
        "tokens": result.metrics["tokens"] / STEPS, "step": sum(seconds[1:]) / (len(seconds) - 1),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "loss": step.reports.metrics["loss"][0],
    }  # fmt: skip


def main() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from smollm2 import smollm2

    smollm2(ROOT / "build" / "finetune")
    print("| tokens in a forward pass | a step, CPU s | tokens/CPU s | peak memory, GB | first loss |\n|---|---|---|---|---|")
    for size in map(int, sys.argv[1:] or SIZES):
        done = subprocess.run([sys.executable, __file__, "--one", str(size)], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(f"| {size} | {found['step']:.1f} | {found['tokens'] / found['step']:.0f} | {found['peak'] / 1e9:.2f} "
              f"| {found['loss']:.5f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(int(sys.argv[2]))))
    else:
        main()
