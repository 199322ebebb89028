"""Preference training against its peers: the same pairs, from the same adapter, for the same number of steps, by one thread.

    python benchmarks/align                                     # every objective that TRL and ms-swift have, prompts long and short
    python benchmarks/align --objectives dpo kto --prompts long --peers trl --rounds 3
    python benchmarks/align --chart docs/pictures/align.svg --json figures.json

SmolLM2-135M-Instruct, LoRA of rank 8 on all linear layers, batches of 4, one epoch. In a round all run in turn, and their ratios are taken;
the table has the median over rounds. Processor seconds are those of all processes from start to end, imports and all. A prompt is three
quarters of a pair's words (long), or a tenth (short): it goes through our model once for both answers. Peers are installed into isolated
environments. `apart`: by how much the first losses differ; a reward model begins with a head that is drawn, and its losses don't compare.
Figures are written after each row, so that what was measured stays when it is stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "finetune")]

from chart import draw  # noqa: E402
from commands import OURS, PEERS, command, losses  # noqa: E402
from measure import Cost, measure  # noqa: E402
from pairs import OBJECTIVES, PROMPTS, Pairs, prepare  # noqa: E402

HEAD = ("objective", "prompts", "peer", "its CPU s", "ours", "ratio", "its GB", "ours", "ratio", "first losses apart")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objectives", nargs="+", choices=list(OBJECTIVES), default=list(OBJECTIVES))
    parser.add_argument("--prompts", nargs="+", choices=list(PROMPTS), default=list(PROMPTS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=24, help="pairs (default 24: 6 steps)")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="float32")
    parser.add_argument("--work", type=Path, default=Path("build/align").resolve(), help="where environments and runs are kept")
    parser.add_argument("--chart", type=Path, help="draw the figures as an SVG")
    parser.add_argument("--json", type=Path, help="write the figures")
    args = parser.parse_args()
    args.work = args.work.resolve()
    print(f"load {os.getloadavg()[0]:.1f}, {args.precision}, {args.samples} rows\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    rows: list[dict[str, Any]] = []
    for objective in args.objectives:
        for prompts in args.prompts:
            work = prepare(args.work, args.samples, prompts, objective, args.precision)
            rounds = [{who: _run(who, work, args.work) for who in (*args.peers, OURS)} for _ in range(args.rounds)]
            for peer in args.peers:
                rows.append(_row(peer, work, prompts, rounds))
                print(_line(rows[-1]), flush=True)
            if args.json:
                args.json.write_text(json.dumps({"samples": args.samples, "precision": args.precision, "rows": rows}, indent=2) + "\n")
    if args.chart:
        named = [{**row, "peer": f"{row['objective']}, {row['prompts']}: {row['peer']}"} for row in rows]
        args.chart.write_text(draw(named, f"Preference training of SmolLM2-135M, {args.precision}, 1 thread"))
    return 0


def _run(who: str, work: Pairs, directory: Path) -> tuple[Cost, list[float]]:
    out = directory / "runs" / who
    subprocess.run(["rm", "-rf", out], check=True)
    out.mkdir(parents=True)
    quiet = {
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false", "TUNESMITH_HOME": str(out / ".tunesmith"), "PYTHONDONTWRITEBYTECODE": "",
    }  # fmt: skip
    cost = measure([str(word) for word in command(who, work, out, directory / "environments")], out, quiet, out / "log.txt")
    return cost, losses(who, out)


def _row(peer: str, work: Pairs, prompts: str, rounds: list[dict[str, tuple[Cost, list[float]]]]) -> dict[str, Any]:
    theirs, mine = ([one[who][0] for one in rounds] for who in (peer, OURS))
    return {
        "objective": work.objective, "prompts": prompts, "peer": peer, "cpu": statistics.median(cost.cpu for cost in theirs),
        "ours_cpu": statistics.median(cost.cpu for cost in mine),
        "ratio": statistics.median(a.cpu / b.cpu for a, b in zip(theirs, mine, strict=True)),
        "memory": statistics.median(cost.memory for cost in theirs), "ours_memory": statistics.median(cost.memory for cost in mine),
        "losses": rounds[-1][peer][1], "ours_losses": rounds[-1][OURS][1],
        "runs": [[asdict(cost) for cost in side] for side in (theirs, mine)],
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    apart = "" if row["objective"] == "reward" else f"{abs(row['losses'][0] - row['ours_losses'][0]):.1e}"
    return (
        f"| {row['objective']} | {row['prompts']} | {row['peer']} | {row['cpu']:.1f} | {row['ours_cpu']:.1f} | {row['ratio']:.2f} | "
        f"{row['memory'] / 1e9:.2f} | {row['ours_memory'] / 1e9:.2f} | {row['ours_memory'] / row['memory']:.2f} | {apart} |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
