"""`tunesmith bench` and guidellm on the same server: do they measure the same?

    python benchmarks/load.py --guidellm DIR/bin/guidellm             # of an environment with guidellm==0.8.1 and torch
    python benchmarks/load.py --guidellm DIR/bin/guidellm --mock      # guidellm's own mock server, which waits and computes nothing

SmolLM2-135M behind the default backend, the same prompts, a closed loop. The two take turns, for what else a machine does changes, and each
figure is the mean over the turns. A client that counts in another way, or lets the load sink at the end, would show. The mock server sends
32 tokens, the first after 300 ms and the others 60 ms apart, whatever else the machine does: with it the two can be held to each other on a
machine that is not quiet.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from smollm2 import smollm2

sys.path.insert(0, str(Path(__file__).with_name("serving")))
from peers import answers, served

#: figure -> where guidellm has it, and its unit in seconds
FIGURES = {
    "ttft": ("time_to_first_token_ms", 0.001), "itl": ("inter_token_latency_ms", 0.001), "e2e": ("request_latency", 1.0),
    "output_tokens_per_second": ("output_tokens_per_second", 1.0), "requests_per_second": ("requests_per_second", 1.0),
}  # fmt: skip


@contextlib.contextmanager
def mocked(guidellm: Path, tokens: int) -> Iterator[str]:
    """guidellm's mock server; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [guidellm, "mock-server", "--port", port, "--ttft-ms", 300, "--itl-ms", 60, "--output-tokens", tokens, "--model", "mock"]
    process = subprocess.Popen(list(map(str, command)), stdout=sys.stderr, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    url = f"http://127.0.0.1:{port}"
    try:
        while not answers(f"{url}/health"):
            if process.poll() is not None:
                raise SystemExit("the mock server ended")
            time.sleep(0.5)
        yield f"{url}/v1"
    finally:
        process.terminate()
        process.wait()


def write_prompts(path: Path, words: int, tokens: int) -> None:
    from tunesmith_bench.workload.words import WORDS

    chance = random.Random(5)
    rows = [{"prompt": " ".join([str(n), *chance.choices(WORDS, k=words)]), "output_tokens_count": tokens} for n in range(1000)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def ours(url: str, prompts: Path, args: argparse.Namespace, directory: Path) -> dict[str, float]:
    saved = directory / "ours.json"
    command = [sys.executable, "-m", "tunesmith_cli", "bench", url, "--prompts", prompts, "--concurrency", args.concurrency, "--requests",
               args.requests, "--runs", 1, "--output-tokens", args.tokens, "--ignore-eos", "--save", saved]  # fmt: skip
    subprocess.run(list(map(str, command)), check=True, stdout=sys.stderr)
    (point,) = json.loads(saved.read_text())["points"]
    return {name: point["figures"][name]["mean"] for name in FIGURES}


def theirs(url: str, prompts: Path, args: argparse.Namespace, directory: Path) -> dict[str, float]:
    """As its defaults are, but with a tenth of the requests before and after left out, where its load is not whole."""
    saved = directory / "theirs.json"
    saved.unlink(missing_ok=True)
    command = [args.guidellm, "run", "--backend", f"kind=openai_http,target={url.removesuffix('/v1')},request_format=/v1/chat/completions",
               "--profile", f"kind=concurrent,streams={args.concurrency},warmup=0.1,cooldown=0.1", "--constraint",
               f"kind=max_requests,count={round(args.requests * 1.25)}", "--data", f"kind=json_file,path={prompts}", "--output",
               f"kind=json,path={saved}", "--disable-console"]  # fmt: skip
    subprocess.run(list(map(str, command)), check=True, stdout=sys.stderr, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    (benchmark,) = json.loads(saved.read_text())["benchmarks"]
    metrics = benchmark["metrics"]
    return {name: metrics[field]["successful"]["mean"] * unit for name, (field, unit) in FIGURES.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guidellm", type=Path, required=True, help="the program, in an environment of its own")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--requests", type=int, default=60, help="of a turn")
    parser.add_argument("--tokens", type=int, default=32, help="of an answer")
    parser.add_argument("--words", type=int, default=48, help="of a prompt")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--mock", action="store_true", help="guidellm's mock server in place of a real one")
    parser.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--threads", type=int, default=1, help="of the server")
    parser.add_argument("--directory", type=Path, help="where the model is kept (default: temporary)")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends with this
    with contextlib.ExitStack() as stack:
        directory = args.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tunesmith-bench-")))
        prompts = directory / "prompts.jsonl"
        write_prompts(prompts, args.words, args.tokens)
        found: dict[str, list[dict[str, float]]] = {"tunesmith bench": [], "guidellm": []}
        if args.mock:
            url = stack.enter_context(mocked(args.guidellm, args.tokens))
        else:
            url = stack.enter_context(served("tunesmith", smollm2(directory), directory, args.dtype, args.threads, {})).url
        for turn in range(args.turns):
            pair = [("tunesmith bench", ours), ("guidellm", theirs)]
            for name, measure in pair if turn % 2 == 0 else reversed(pair):
                found[name].append(measure(url, prompts, args, directory))
                print(name, json.dumps(found[name][-1]), flush=True)
    print(f"{args.concurrency} at once, {args.requests} requests a turn, {args.turns} turns, {args.tokens} tokens each")
    for figure in FIGURES:
        one, other = (statistics.mean(turn[figure] for turn in turns) for turns in found.values())
        print(f"{figure:26}{one:10.4f}{other:10.4f}   ratio {one / other:.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
