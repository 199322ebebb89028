"""The default backend against its peers: greedy answers over HTTP with streaming, SmolLM2-135M.

    python benchmarks/serving                                          # against one-by-one `generate`
    python benchmarks/serving --peers transformers llama.cpp-bf16      # also against these, each in an isolated environment
    python benchmarks/serving --peers vllm wrapped-vllm --loads 8       # what our plugin adds to an engine
    python benchmarks/serving --peers transformers vllm llama.cpp-f16 llama.cpp-q8_0 --rounds 3 --directory DIR --json FILE

All servers are up and asleep; each is woken in its turn, round by round, so that what else the machine does hits all of them. Every round
has questions of its own. Read the ratios, and those of processor seconds where the machine is shared: tokens per second depend on it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from load import Load, Measured, ask
from peers import HERE, WRAPPED, Server, served

sys.path.insert(0, str(HERE.parent))
from smollm2 import smollm2

LOADS = {
    "1": Load("1 at once", 2, 1, 64),
    "8": Load("8 at once", 8, 8, 64),
    "32": Load("32 at once", 32, 32, 64),
    "shared": Load("16 at once, 1000 tokens in common", 16, 16, 32, rules=40),
    "late": Load("31 at once, and a prompt of 1000 tokens that comes among them", 31, 31, 64, late=40),
}


def measure(server: Server, load: Load, turn: int) -> Measured:
    with server.awake():
        before = server.cpu()
        found = asyncio.run(ask(server.url, server.model, load, turn))
        return replace(found, cpu=server.cpu() - before)


def one_by_one(model: Path, dtype: str, threads: int, load: Load, turn: int) -> Measured:
    words = [sys.executable, HERE / "one_by_one.py", model, dtype, str(threads), str(load.tokens)]
    questions = json.dumps(load.prompts(turn)[:2])
    done = subprocess.run(words, input=questions, capture_output=True, text=True, check=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def summary(found: dict[str, list[Measured]]) -> dict[str, dict[str, float]]:
    """Medians over the rounds; ratios are above 1 where tunesmith is better."""
    rows: dict[str, dict[str, float]] = {}
    for name, every in found.items():
        rates, firsts = [one.tokens / one.seconds for one in every], [first for one in every for first in one.firsts]
        rows[name] = {
            "tokens_per_second": statistics.median(rates), "least": min(rates), "most": max(rates),
            "cpu_ms_per_token": statistics.median(1000 * one.cpu / one.tokens for one in every),
            "ttft_p50": percentile(firsts, 50), "ttft_p99": percentile(firsts, 99),
            "late_ttft": statistics.median(one.late for one in every), "stutter": statistics.median(one.stutter for one in every),
        }  # fmt: skip
    for row in rows.values():
        row["times_as_fast"] = rows["tunesmith"]["tokens_per_second"] / row["tokens_per_second"]
        row["times_per_cpu_second"] = row["cpu_ms_per_token"] / rows["tunesmith"]["cpu_ms_per_token"]
    for name in found.keys() & {name.removeprefix(WRAPPED) for name in found if name.startswith(WRAPPED)}:
        rows[WRAPPED + name]["of_bare"] = statistics.median(
            (bare.cpu / bare.tokens) / (wrapped.cpu / wrapped.tokens)
            for bare, wrapped in zip(found[name], found[WRAPPED + name], strict=True)
        )
    return rows


def percentile(values: list[float], rank: int) -> float:
    """The value that so many percent of them do not exceed; 0 for none."""
    return sorted(values)[max(0, -(-rank * len(values) // 100) - 1)] if values else 0.0


def table(load: Load, rows: dict[str, dict[str, float]]) -> None:
    """One line a server."""
    print(f"\n{load.name}, {load.tokens} tokens each, load of the machine {os.getloadavg()[0]:.1f}")
    for name, row in rows.items():
        print(
            f"  {name:16}{row['tokens_per_second']:8.1f} tokens/s ({row['least']:.1f} to {row['most']:.1f})"
            f"   {row['cpu_ms_per_token']:7.2f} CPU ms a token"
            f"   tunesmith: {row['times_as_fast']:5.2f}x tokens/s, {row['times_per_cpu_second']:5.2f}x per CPU second"
            + (f"   first token p50 {row['ttft_p50']:6.2f} s, p99 {row['ttft_p99']:6.2f} s" if row["ttft_p50"] else "")
            + (f"   per CPU second {row['of_bare']:.3f} of the bare engine" if "of_bare" in row else "")
            + (f"   late prompt {row['late_ttft']:6.2f} s, others paused {row['stutter']:5.2f} s" if row["late_ttft"] else ""),
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a model's directory (default: SmolLM2-135M-Instruct from its package)")
    parser.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--loads", nargs="+", default=[*LOADS], choices=tuple(LOADS))
    parser.add_argument(
        "--peers",
        nargs="*",
        default=[],
        help="transformers, vllm, llama.cpp-TYPE (bf16, f16, f32, q8_0), wrapped-vllm, wrapped-llama.cpp-TYPE",
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--generate", action=argparse.BooleanOptionalAction, default=True, help="one-by-one `generate` at 1 at once")
    parser.add_argument("--directory", type=Path, help="where the model and the peers' environments are kept (default: temporary)")
    parser.add_argument("--settings", type=json.loads, default={}, help='of tunesmith\'s backend, as JSON: {"chunked_prefill_size": 128}')
    parser.add_argument("--json", type=Path, help="write what was measured to this file, after each load")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers, asleep or not, end with this
    with contextlib.ExitStack() as stack:
        directory = args.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tunesmith-bench-")))
        directory.mkdir(parents=True, exist_ok=True)
        model = args.model or smollm2(directory)
        servers = {}
        for name in ("tunesmith", *args.peers):
            server = servers[name] = stack.enter_context(served(name, model, directory, args.dtype, args.threads, args.settings))
            asyncio.run(ask(server.url, server.model, Load("warm-up", 4, 4, 8), 99))
            measure(server, Load("warm-up", 1, 1, 8), 98)
        print(f"{args.dtype}, {args.threads} threads of {os.cpu_count()}, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
        rows: dict[str, dict[str, dict[str, float]]] = {}
        for key in args.loads:
            load, found = LOADS[key], {name: [] for name in servers}
            for turn in range(args.rounds):
                for name, server in servers.items():
                    found[name].append(measure(server, load, turn))
                if key == "1" and args.generate:
                    found.setdefault("generate", []).append(one_by_one(model, args.dtype, args.threads, load, turn))
            rows[load.name] = summary(found)
            table(load, rows[load.name])
            if args.json:
                machine = {"dtype": args.dtype, "threads": args.threads, "rounds": args.rounds, "load": os.getloadavg()[0]}
                args.json.write_text(json.dumps({"machine": machine, "loads": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
