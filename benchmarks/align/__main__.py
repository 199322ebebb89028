"""Preference training against TRL: the same pairs, from the same adapter, for the same number of steps, by one thread.

    python benchmarks/align                                     # every objective that TRL has, prompts long and short
    python benchmarks/align --objectives dpo kto --prompts long --rounds 3
    python benchmarks/align --json figures.json

SmolLM2-135M-Instruct, LoRA of rank 8 on all linear layers, batches of 4, one epoch. In a round both run in turn, and their ratio is taken;
the table has the median over rounds. Processor seconds are those of all processes from start to end, imports and all. A prompt is three
quarters of a pair's words (long), or a tenth (short): it goes through our model once for both answers. TRL is installed into an isolated
environment. `apart`: by how much the first losses differ; a reward model begins with a head that is drawn, and its losses don't compare.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "finetune")]

from environment import environment  # noqa: E402
from measure import Cost, measure  # noqa: E402
from pairs import BATCH, LONGEST, OBJECTIVES, PROMPTS, RATE, Pairs, ours, prepare  # noqa: E402
from peers import PEERS  # noqa: E402

HEAD = ("objective", "prompts", "TRL's CPU s", "ours", "ratio", "TRL's GB", "ours", "ratio", "first losses apart")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objectives", nargs="+", choices=list(OBJECTIVES), default=list(OBJECTIVES))
    parser.add_argument("--prompts", nargs="+", choices=list(PROMPTS), default=list(PROMPTS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=24, help="pairs (default 24: 6 steps)")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="float32")
    parser.add_argument("--work", type=Path, default=Path("build/align").resolve(), help="where environments and runs are kept")
    parser.add_argument("--json", type=Path, help="write the figures")
    args = parser.parse_args()
    args.work = args.work.resolve()
    print(f"load {os.getloadavg()[0]:.1f}, {args.precision}, {args.samples} rows\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    rows = []
    for objective in args.objectives:
        for prompts in args.prompts:
            work = prepare(args.work, args.samples, prompts, objective)
            rounds = [[_run(who, objective, work, args) for who in ("trl", "tunesmith")] for _ in range(args.rounds)]
            rows.append(_row(objective, prompts, rounds))
            print(_line(rows[-1]), flush=True)
    if args.json:
        args.json.write_text(json.dumps({"samples": args.samples, "precision": args.precision, "rows": rows}, indent=2) + "\n")
    return 0


def _run(who: str, objective: str, work: Pairs, args: argparse.Namespace) -> tuple[Cost, list[float]]:
    out = args.work / "runs" / who
    subprocess.run(["rm", "-rf", out], check=True)
    out.mkdir(parents=True)
    quiet = {
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false", "TUNESMITH_HOME": str(out / ".tunesmith"),
    }  # fmt: skip
    command = ours(work, objective, args.precision) if who == "tunesmith" else _trl(out, objective, work, args)
    cost = measure(command, out, quiet, out / "log.txt")
    if who == "tunesmith":
        log = next(out.glob(".tunesmith/store/*/*/files/training_log.jsonl"))
        return cost, [json.loads(line)["loss"] for line in log.read_text().splitlines()]
    state = json.loads(next(out.rglob("trainer_state.json")).read_text())
    return cost, [point["loss"] for point in state["log_history"] if "loss" in point]


def _trl(out: Path, objective: str, work: Pairs, args: argparse.Namespace) -> Sequence[str]:
    library, trainer, settings = OBJECTIVES[objective]
    told = {
        "library": library, "trainer": trainer, "settings": dict(settings), "model": str(work.model), "adapter": str(work.adapter),
        "rows": str(work.rows), "out": str(out / "o"), "batch": BATCH, "rate": RATE, "longest": LONGEST,
        "bf16": args.precision == "bfloat16",
    }  # fmt: skip
    (out / "work.json").write_text(json.dumps(told))
    python = environment(PEERS["trl"], args.work / "environments") / "bin" / "python"
    return [str(python), str(Path(__file__).with_name("trl_align.py")), str(out / "work.json")]


def _row(objective: str, prompts: str, rounds: list[list[tuple[Cost, list[float]]]]) -> dict[str, object]:
    theirs, mine = ([one[side][0] for one in rounds] for side in (0, 1))
    return {
        "objective": objective, "prompts": prompts, "cpu": statistics.median(cost.cpu for cost in theirs),
        "ours_cpu": statistics.median(cost.cpu for cost in mine),
        "ratio": statistics.median(a.cpu / b.cpu for a, b in zip(theirs, mine, strict=True)),
        "memory": statistics.median(cost.memory for cost in theirs), "ours_memory": statistics.median(cost.memory for cost in mine),
        "losses": rounds[-1][0][1], "ours_losses": rounds[-1][1][1], "runs": [[asdict(cost) for cost in side] for side in (theirs, mine)],
    }  # fmt: skip


def _line(row: dict) -> str:
    apart = "" if row["objective"] == "reward" else f"{abs(row['losses'][0] - row['ours_losses'][0]):.1e}"
    return (
        f"| {row['objective']} | {row['prompts']} | {row['cpu']:.1f} | {row['ours_cpu']:.1f} | {row['ratio']:.2f} | "
        f"{row['memory'] / 1e9:.2f} | {row['ours_memory'] / 1e9:.2f} | {row['ours_memory'] / row['memory']:.2f} | {apart} |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
