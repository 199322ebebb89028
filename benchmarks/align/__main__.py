"""Preference training against its peers: the same pairs, from the same adapter, for the same number of steps, by one thread.

    python benchmarks/align                                     # every objective that TRL and ms-swift have, prompts long and short
    python benchmarks/align --objectives dpo kto --prompts long --peers trl --rounds 3
    python benchmarks/align --objectives grpo --prompts short --peers trl
    python benchmarks/align --chart docs/pictures/align.svg --json figures.json

Beside preferences `sft`, `distill` (TRL's and ms-swift's GKD, off-policy), and `grpo` against TRL's: whole steps of 4 prompts with 8
completions of at most 64 tokens each, sampled by each in its own process. SmolLM2-135M-Instruct, LoRA of rank 8 on all linear layers,
batches of 4, one epoch. In a round all run in turn, and their ratios are taken; the table has the median over rounds. Processor
seconds are those of all processes from start to end, imports and all; `load` is the machine's before the round. A prompt is three
quarters of a pair's words (long), or a tenth (short): it goes through our model once for all its answers. Peers are installed into isolated
environments. `apart`: by how much the first losses differ; a reward model begins with a head that is drawn, and its losses don't compare;
of `grpo`, which draws completions, tokens of one on average, the peer's and ours.
Figures are written after each row, so that what was measured stays when it is stopped; --resume goes on with what is missing. A peer that
fails is told, and the others go on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "finetune")]

from chart import draw  # noqa: E402
from commands import OURS, PEERS, command, lengths, losses  # noqa: E402
from measure import Cost, measure  # noqa: E402
from pairs import OBJECTIVES, PROMPTS, SAMPLED, SWIFT, Pairs, prepare  # noqa: E402

HEAD = ("objective", "prompts", "peer", "its CPU s", "ours", "ratio", "its GB", "ours", "ratio", "first losses apart", "load")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objectives", nargs="+", choices=list(OBJECTIVES), default=list(OBJECTIVES))
    parser.add_argument("--prompts", nargs="+", choices=list(PROMPTS), default=list(PROMPTS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--samples", type=int, default=8, help="pairs (default 8: 2 steps)")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="float32")
    parser.add_argument("--work", type=Path, default=Path("build/align").resolve(), help="where environments and runs are kept")
    parser.add_argument("--chart", type=Path, help="draw the figures as an SVG")
    parser.add_argument("--json", type=Path, help="write the figures")
    parser.add_argument("--resume", action="store_true", help="keep the rows that are in the file of --json, and measure the others")
    args = parser.parse_args()
    args.work = args.work.resolve()
    rows = _known(args) if args.resume else []
    print(f"{args.precision}, {args.samples} rows\n\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for row in rows:
        print(_line(row))
    for objective, prompts in product(args.objectives, args.prompts):
        done = {row["peer"] for row in rows if (row["objective"], row["prompts"]) == (objective, prompts)}
        done |= set() if objective in SWIFT else {"ms-swift"}
        for row in _rows(args, objective, prompts, [peer for peer in args.peers if peer not in done]):
            print(_line(row), flush=True)
            rows.append(row)
        if args.json:
            told = {"samples": args.samples, "precision": args.precision, "machine": _machine(), "rows": rows}
            args.json.write_text(json.dumps(told, indent=2) + "\n")
    if args.chart:
        named = [{**row, "peer": f"{row['objective']}, {row['prompts']}: {row['peer']}"} for row in rows]
        args.chart.write_text(draw(named, f"Preference training of SmolLM2-135M, {args.precision}, 1 thread"))
    return 0


def _known(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of the same work that were measured before."""
    told = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    same = (told.get("samples"), told.get("precision"), told.get("machine")) == (args.samples, args.precision, _machine())
    return list(told["rows"]) if same else []


def _rows(args: argparse.Namespace, objective: str, prompts: str, peers: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One for each peer that comes to an end."""
    if not peers:
        return
    work, load = prepare(args.work, args.samples, prompts, objective, args.precision), round(os.getloadavg()[0], 1)
    rounds = [{who: _run(who, work, args.work) for who in (*peers, OURS)} for _ in range(args.rounds)]
    for peer in peers:
        ended = [{peer: one[peer], OURS: one[OURS]} for one in rounds if one[peer] and one[OURS]]
        if ended:
            yield {**_row(peer, work, prompts, ended), "load": load}


def _machine() -> str:
    """The processor's name and what it has that changes the figures."""
    try:
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    name = next((line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("model name")), "")
    return ", ".join([name, *(flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {flag} " in said)])


def _run(who: str, work: Pairs, directory: Path) -> tuple[Cost, list[float], float] | None:
    """None where it fails, which is told."""
    out = directory / "runs" / who
    subprocess.run(["rm", "-rf", out], check=True)
    out.mkdir(parents=True)
    quiet = {
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false", "TUNESMITH_HOME": str(out / ".tunesmith"), "PYTHONDONTWRITEBYTECODE": "",
    }  # fmt: skip
    try:
        cost = measure([str(word) for word in command(who, work, out, directory / "environments")], out, quiet, out / "log.txt")
        return cost, losses(who, out), lengths(who, out) if work.objective == SAMPLED else 0.0
    except SystemExit as error:
        print(f"{work.objective}, {who}: {error}", file=sys.stderr, flush=True)
        return None


def _row(peer: str, work: Pairs, prompts: str, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    theirs, mine = ([one[who][0] for one in rounds] for who in (peer, OURS))
    return {
        "objective": work.objective, "prompts": prompts, "peer": peer, "cpu": statistics.median(cost.cpu for cost in theirs),
        "ours_cpu": statistics.median(cost.cpu for cost in mine),
        "ratio": statistics.median(a.cpu / b.cpu for a, b in zip(theirs, mine, strict=True)),
        "memory": statistics.median(cost.memory for cost in theirs), "ours_memory": statistics.median(cost.memory for cost in mine),
        "losses": rounds[-1][peer][1], "ours_losses": rounds[-1][OURS][1], "lengths": [rounds[-1][who][2] for who in (peer, OURS)],
        "runs": [[asdict(cost) for cost in side] for side in (theirs, mine)],
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    apart = "" if row["objective"] in ("reward", SAMPLED) else f"{abs(row['losses'][0] - row['ours_losses'][0]):.1e}"
    if row["objective"] == SAMPLED:
        apart = f"lengths {' and '.join(format(length, '.1f') for length in row['lengths'])}"
    return (
        f"| {row['objective']} | {row['prompts']} | {row['peer']} | {row['cpu']:.1f} | {row['ours_cpu']:.1f} | {row['ratio']:.2f} | "
        f"{row['memory'] / 1e9:.2f} | {row['ours_memory'] / 1e9:.2f} | {row['ours_memory'] / row['memory']:.2f} | {apart} | {row['load']} |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
