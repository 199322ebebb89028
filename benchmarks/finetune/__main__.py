"""Fine-tuning against its peers: the same samples, from the same weights, for the same number of steps, by one thread.

    python benchmarks/finetune                                       # all peers, bfloat16; installs them into isolated environments
    python benchmarks/finetune --peers trl llamafactory+packing --pairs 3
    python benchmarks/finetune --precision float32 --train-on all  # the losses must be equal, too
    python benchmarks/finetune --adapter full --peers ms-swift --precision float32 --train-on all --samples 24     # and qlora
    python benchmarks/finetune --chart docs/pictures/finetune.svg --json figures.json

SmolLM2-135M-Instruct, LoRA of rank 8 on all linear layers (or the same beside a base in nf4, or all weights), batches of 4, one epoch. Each
pair runs Tunesmith and one peer in turn, and their ratio is taken; the table has the median over pairs. Processor seconds are those of all
processes from start to end, imports and all; the share of the peak is what the work needs in products of matrices, by what the machine
could do in that time (MFU). Keep the machine quiet.
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

sys.path.insert(0, str(Path(__file__).resolve().parent))

from chart import draw
from environment import environment
from measure import Cost, matrix_peak, measure
from peers import PEERS, Peer, command, losses
from work import ADAPTERS, Work, prepare

OURS = PEERS["tunesmith"]
HEAD = ("peer", "its CPU s", "ours", "ratio", "its GB", "ours", "ratio", "its share of the peak", "ours", "losses apart")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", nargs="+", choices=[n for n in PEERS if n != OURS.name], default=[n for n in PEERS if n != OURS.name])
    parser.add_argument("--adapter", choices=ADAPTERS, default="lora", help="what trains; only ms-swift is told how to do the others")
    parser.add_argument("--pairs", type=int, default=1, help="how often each peer and Tunesmith run in turn (default 1)")
    parser.add_argument("--samples", type=int, default=40, help="conversations (default 40: 10 steps)")
    parser.add_argument("--threads", type=int, default=1, help="of each (default 1)")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--train-on", choices=("assistant", "all"), default="assistant")
    parser.add_argument("--work", type=Path, default=Path("build/finetune").resolve(), help="where environments and runs are kept")
    parser.add_argument("--chart", type=Path, help="draw the figures as an SVG")
    parser.add_argument("--json", type=Path, help="write the figures")
    args = parser.parse_args()
    args.work = args.work.resolve()
    if args.adapter != "lora" and args.peers != ["ms-swift"]:
        parser.error("with this --adapter the peer is ms-swift: add --peers ms-swift")
    work = prepare(args.work, args.samples, args.precision, args.train_on, args.adapter)
    peak = matrix_peak(args.threads, args.precision)
    print(
        f"{work.count} conversations, {work.tokens} tokens, {work.labels} of them labels; peak {peak / 1e9:.0f} GFLOP/s; {work.precision}; "
        f"{work.adapts}; load {os.getloadavg()[0]:.1f}\n"
    )
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    rows = []
    for name in args.peers:
        pairs = [(_run(OURS, work, args.work, args.threads), _run(PEERS[name], work, args.work, args.threads)) for _ in range(args.pairs)]
        rows.append(_row(name, pairs))
        print(_line(rows[-1], work, peak), flush=True)
    done = {"samples": work.count, "tokens": work.tokens, "labels": work.labels, "precision": work.precision, "train_on": work.train_on}
    done |= {"adapter": work.adapts}
    figures = {**done, "threads": args.threads, "matrix_peak_gflops": peak / 1e9, "rows": rows}
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    if args.chart:
        args.chart.write_text(draw(rows, f"{work.adapts} fine-tuning of SmolLM2-135M, {work.precision}, {args.threads} thread"))
    return 0


def _run(peer: Peer, work: Work, directory: Path, threads: int) -> tuple[Cost, list[float]]:
    out = directory / "runs" / peer.name
    subprocess.run(["rm", "-rf", out], check=True)
    out.mkdir(parents=True)
    bin = environment(peer, directory / "environments") / "bin"
    quiet = {
        "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "WANDB_DISABLED": "true", "PYTHONDONTWRITEBYTECODE": "",
        "TUNESMITH_HOME": str(out / ".tunesmith"), "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    cost = measure([str(word) for word in command(peer, work, bin, out)], out, quiet, out / "log.txt")
    return cost, losses(peer, out)


def _row(name: str, pairs: list[tuple[tuple[Cost, list[float]], tuple[Cost, list[float]]]]) -> dict[str, object]:
    ours, theirs = ([pair[side][0] for pair in pairs] for side in (0, 1))
    return {
        "peer": name,
        "cpu": statistics.median(cost.cpu for cost in theirs), "ours_cpu": statistics.median(cost.cpu for cost in ours),
        "ratio": statistics.median(b.cpu / a.cpu for a, b in zip(ours, theirs, strict=True)),
        "memory": statistics.median(cost.memory for cost in theirs), "ours_memory": statistics.median(cost.memory for cost in ours),
        "losses": pairs[-1][1][1], "ours_losses": pairs[-1][0][1], "runs": [[asdict(cost) for cost in side] for side in (ours, theirs)],
    }  # fmt: skip


def _line(row: dict, work: Work, peak: float) -> str:
    apart = "packed" if len(row["losses"]) != len(row["ours_losses"]) else _apart(row["losses"], row["ours_losses"])
    return (
        f"| {row['peer']} | {row['cpu']:.1f} | {row['ours_cpu']:.1f} | {row['ratio']:.2f} | {row['memory'] / 1e9:.2f} | "
        f"{row['ours_memory'] / 1e9:.2f} | {row['ours_memory'] / row['memory']:.2f} | "
        f"{work.operations / row['cpu'] / peak:.0%} | {work.operations / row['ours_cpu'] / peak:.0%} | {apart} |"
    )


def _apart(theirs: list[float], ours: list[float]) -> str:
    return f"{max(abs(a - b) / b for a, b in zip(theirs, ours, strict=True)):.1e}"


if __name__ == "__main__":
    raise SystemExit(main())
