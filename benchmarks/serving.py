"""Serving throughput against peers: 32 conversations at once, 64 tokens each, SmolLM2-135M.

    python benchmarks/serving.py                      # this backend against one-by-one `generate`
    python benchmarks/serving.py --peer               # also against `transformers serve`, in an isolated environment
    python benchmarks/serving.py --dtype float32 --model DIR

All run in one go on one machine, one after the other, with the same prompts, greedy, over HTTP with streaming (but `generate`).
Compare the ratios: tokens per second depend on the machine and on what else it does. With `--dtype auto` everyone uses the
dtype that this backend chooses here.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smollm2 import smollm2

SUBJECTS = ("a blacksmith", "the sea", "an old clock", "bread", "the moon", "a lost letter", "trains", "a violin")
QUESTIONS = ("Write a long story about {}.", "Explain in detail how one could teach children about {}.",
             "List many facts about {} with explanations.", "Write a long poem about {}.")  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One server's (or loop's) performance: tokens per second over all, and seconds to the first token (median)."""

    tokens: int
    seconds: float
    first: float = 0.0

    @property
    def rate(self) -> float:
        return self.tokens / self.seconds


def prompts(count: int) -> list[str]:
    every = [question.format(subject) for question in QUESTIONS for subject in SUBJECTS]
    return [every[i % len(every)] for i in range(count)]


async def load(url: str, model: str, questions: list[str], tokens: int) -> Measured:
    """Ask everything at once; every chunk with text counts as it comes, the usage says how many tokens they were."""
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=900, max_retries=0) as client:

        async def ask(question: str) -> tuple[int, float]:
            first, count = 0.0, 0
            stream = await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": question}], max_tokens=tokens, temperature=0, stream=True,
                stream_options={"include_usage": True},
            )  # fmt: skip
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    first = first or time.perf_counter()
                    count += 1
                if chunk.usage:
                    count = chunk.usage.completion_tokens
            return count, first

        started = time.perf_counter()
        answers = await asyncio.gather(*map(ask, questions))
        seconds = time.perf_counter() - started
    return Measured(sum(n for n, _ in answers), seconds, statistics.median(first - started for _, first in answers))


class Bench:
    """A step that only has to be told when to stop, and tells where the server is."""

    def __init__(self, connection: Any) -> None:
        from tunesmith.contracts import Placement

        self.placement = Placement()
        self._connection = connection
        self._stop = threading.Event()

    def ready(self, **facts: Any) -> None:
        self._connection.send(facts["url"])
        threading.Thread(target=lambda: (self._connection.recv(), self._stop.set()), daemon=True).start()

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        return self._stop.wait(timeout)

    def check_cancelled(self) -> None: ...

    def progress(self, *_: Any, **__: Any) -> None: ...

    def log(self, *_: Any) -> None: ...

    def decide(self, *_: Any) -> None: ...


def _serve(connection: Any, model: Path, settings: dict[str, Any]) -> None:
    from tunesmith.contracts import Address, Artifact
    from tunesmith_transformers.backend import TransformersBackend
    from tunesmith_transformers.settings import TransformersSettings

    TransformersBackend(TransformersSettings(**settings)).serve(Artifact("model/hf", model), "bench", Address(), Bench(connection))


@contextlib.contextmanager
def tunesmith_server(model: Path, settings: dict[str, Any]) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, model, settings))
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _generate(connection: Any, model: Path, dtype: str, questions: list[str], tokens: int) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=dtype).eval()

    def answer(question: str) -> int:
        chat = [{"role": "user", "content": question}]
        inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        return network.generate(**inputs, max_new_tokens=tokens, do_sample=False).shape[1] - inputs["input_ids"].shape[1]

    answer(questions[0])
    started = time.perf_counter()
    count = sum(map(answer, questions))
    connection.send(Measured(count, time.perf_counter() - started))


def one_by_one(model: Path, dtype: str, questions: list[str], tokens: int) -> Measured:
    """transformers' `generate`, a question at a time."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_generate, args=(theirs, model, dtype, questions, tokens))
    process.start()
    theirs.close()
    found = ours.recv()
    process.join()
    return found


@contextlib.contextmanager
def transformers_server(directory: Path, model: Path, dtype: str) -> Iterator[str]:
    """`transformers serve` with continuous batching, in an environment under `directory`."""
    import httpx

    python = directory / "peer" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", directory / "peer"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "torch==2.13.0", "transformers[serving]==5.23.0"], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        python.with_name("transformers"), "serve", str(model), "--continuous-batching", "--attn-implementation", "sdpa", "--dtype", dtype,
        "--cb-num-blocks", "512", "--cb-block-size", "32", "--cb-max-batch-tokens", "512", "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    with open(directory / "peer.log", "w") as log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
        try:
            for _ in range(240):
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                        break
                if process.poll() is not None:
                    raise SystemExit(f"transformers serve ended: see {directory / 'peer.log'}")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a model's directory (default: SmolLM2-135M-Instruct from its package)")
    parser.add_argument("--dtype", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--single", type=int, default=8, help="requests for one-by-one generate")
    parser.add_argument("--peer", action="store_true", help="also measure `transformers serve`")
    parser.add_argument("--directory", type=Path, help="where the model and the peer's environment are kept (default: temporary)")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = args.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tunesmith-bench-")))
        directory.mkdir(parents=True, exist_ok=True)
        model = args.model or smollm2(directory)
        dtype = args.dtype
        if dtype == "auto":
            from transformers import AutoConfig

            from tunesmith.contracts import Placement
            from tunesmith_cpu.device import Cpu
            from tunesmith_transformers.model.loader import number_type

            place = Placement(dtypes=Cpu().probe()[0].dtypes)
            dtype = str(number_type("auto", AutoConfig.from_pretrained(model), place)[0]).removeprefix("torch.")
        questions = prompts(args.requests)
        found: dict[str, Measured] = {}
        with tunesmith_server(model, {"dtype": dtype}) as url:
            asyncio.run(load(url, "bench", questions[:4], 8))  # warm up
            found["tunesmith"] = asyncio.run(load(url, "bench", questions, args.tokens))
        found["generate, one by one"] = one_by_one(model, dtype, questions[: args.single], args.tokens)
        if args.peer:
            with transformers_server(directory, model, dtype) as url:
                asyncio.run(load(url, str(model), questions[:4], 8))
                found["transformers serve"] = asyncio.run(load(url, str(model), questions, args.tokens))
    ours = found["tunesmith"].rate
    print(f"{args.requests} requests at once, {args.tokens} tokens each, {dtype}, {os.cpu_count()} cores")
    for name, measured in found.items():
        first = f"   first token {measured.first:6.2f} s" if measured.first else ""
        print(f"{name:24}{measured.rate:8.1f} tokens/s   tunesmith is {ours / measured.rate:5.2f}x{first}")
    print(json.dumps({name: round(ours / measured.rate, 3) for name, measured in found.items()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
