"""The default backend against its peers: greedy answers over HTTP with streaming, SmolLM2-135M.

    python benchmarks/serving                                          # against one-by-one `generate`
    python benchmarks/serving --peers transformers llama.cpp-bf16      # also against these, each in an isolated environment
    python benchmarks/serving --peers transformers vllm llama.cpp-f16 llama.cpp-q8_0 --rounds 3 --directory DIR

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
from pathlib import Path

from load import Load, Measured, ask
from peers import HERE, Server, served

sys.path.insert(0, str(HERE.parent))
from smollm2 import smollm2

LOADS = {
    "1": Load("1 at once", 2, 1, 64),
    "8": Load("8 at once", 8, 8, 64),
    "32": Load("32 at once", 32, 32, 64),
    "shared": Load("16 at once, 1000 tokens in common", 16, 16, 32, rules=40),
}


def measure(server: Server, load: Load, turn: int) -> Measured:
    with server.awake():
        before = server.cpu()
        tokens, seconds, first = asyncio.run(ask(server.url, server.model, load, turn))
        return Measured(tokens, seconds, server.cpu() - before, first)


def one_by_one(model: Path, dtype: str, threads: int, load: Load, turn: int) -> Measured:
    words = [sys.executable, HERE / "one_by_one.py", model, dtype, str(threads), str(load.tokens)]
    questions = json.dumps(load.prompts(turn)[:2])
    done = subprocess.run(words, input=questions, capture_output=True, text=True, check=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def table(load: Load, found: dict[str, list[Measured]]) -> None:
    """One line a server; ratios are of medians over the rounds, above 1 where tunesmith is faster."""
    rate = {name: statistics.median(m.tokens / m.seconds for m in every) for name, every in found.items()}
    cost = {name: statistics.median(m.cpu / m.tokens for m in every) for name, every in found.items()}
    print(f"\n{load.name}, {load.tokens} tokens each")
    for name, every in found.items():
        spread = [m.tokens / m.seconds for m in every]
        first = statistics.median(m.first for m in every)
        print(
            f"  {name:16}{rate[name]:8.1f} tokens/s ({min(spread):.1f} to {max(spread):.1f})   {1000 * cost[name]:7.2f} CPU ms a token"
            f"   tunesmith: {rate['tunesmith'] / rate[name]:5.2f}x tokens/s, {cost[name] / cost['tunesmith']:5.2f}x per CPU second"
            + (f"   first token {first:6.2f} s" if first else ""),
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a model's directory (default: SmolLM2-135M-Instruct from its package)")
    parser.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--loads", nargs="+", default=["1", "8", "32", "shared"], choices=tuple(LOADS))
    parser.add_argument("--peers", nargs="*", default=[], help="transformers, vllm, llama.cpp-TYPE (bf16, f16, f32, q8_0)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--generate", action=argparse.BooleanOptionalAction, default=True, help="one-by-one `generate` at 1 at once")
    parser.add_argument("--directory", type=Path, help="where the model and the peers' environments are kept (default: temporary)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers, asleep or not, end with this
    with contextlib.ExitStack() as stack:
        directory = args.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tunesmith-bench-")))
        directory.mkdir(parents=True, exist_ok=True)
        model = args.model or smollm2(directory)
        servers = {}
        for name in ("tunesmith", *args.peers):
            server = servers[name] = stack.enter_context(served(name, model, directory, args.dtype, args.threads))
            asyncio.run(ask(server.url, server.model, Load("warm-up", 4, 4, 8), 99))
            measure(server, Load("warm-up", 1, 1, 8), 98)
        print(f"{args.dtype}, {args.threads} threads of {os.cpu_count()}, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
        for key in args.loads:
            load, found = LOADS[key], {name: [] for name in servers}
            for turn in range(args.rounds):
                for name, server in servers.items():
                    found[name].append(measure(server, load, turn))
                if key == "1" and args.generate:
                    found.setdefault("generate", []).append(one_by_one(model, args.dtype, args.threads, load, turn))
            table(load, found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
