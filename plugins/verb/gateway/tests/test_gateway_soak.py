"""The memory of the default backend behind the gateway stays flat: minutes at a low rate, an hour with `TUNESMITH_SOAK_SECONDS=3600`."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tunesmith_cli.api import running_endpoints
from tunesmith_sdk.tiny_models import tiny_model

pytestmark = pytest.mark.slow

WARM, PAUSE = 60.0, 0.25  # seconds until caches are full; between two requests
SECONDS = float(os.environ.get("TUNESMITH_SOAK_SECONDS", "150"))  # of measuring
GROWTH = 6 * 2**20  # bytes in that time; keys and values of what is asked, kept, would take eight times as much
LENGTH = 512  # tokens of the longest prompt and answer; prompts begin alike by no more than a turn
PLAIN = {"model": "bot", "max_tokens": 24, "temperature": 0}


def resident(roots: list[psutil.Process]) -> dict[int, int]:
    """Bytes that each process of some trees holds, by its id."""
    found = {}
    for one in {process for root in roots for process in (root, *root.children(recursive=True))}:
        try:
            found[one.pid] = one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return found


def growth(samples: list[int]) -> float:
    """By how much the last third is above the first, by their medians."""
    third = len(samples) // 3
    return statistics.median(samples[-third:]) - statistics.median(samples[:third])


def requests(client: httpx.Client, url: str) -> Iterator[None]:
    """One after the other: whole answers, streams, streams that are left, requests that can't be answered, prompts of every length."""
    for number in range(10**9):
        messages = [{"role": "user", "content": f"{number} " + "what is it ? " * (number % 40)}]
        body: dict[str, Any] = {**PLAIN, "messages": messages}
        if number % 4 == 0:
            assert client.post(url, json=body).status_code == 200
        elif number % 4 == 1:
            with client.stream("POST", url, json={**body, "stream": True}) as answer:
                assert answer.read().endswith(b"data: [DONE]\n\n")
        elif number % 4 == 2:
            with client.stream("POST", url, json={**body, "stream": True, "logprobs": True, "top_logprobs": 3}) as answer:
                assert next(answer.iter_raw())
        else:
            assert client.post(url, json={**body, "temperature": -1}).status_code == 400
        yield


def test_memory_stays_flat_at_a_low_rate(tmp_path: Path, gateway: Any) -> None:
    model = tiny_model(tmp_path / "model", hidden_size=128, num_hidden_layers=4)
    engine = ("--max-model-len", str(LENGTH), "--max-num-seqs", "4", "--kv-cache-gib", "0.02", "--dtype", "float32", "--threads", "1")
    up = gateway({}, "--serve", "--", "transformers", "--model", f"file://{model}", "--name", "bot", *engine)
    (served,) = running_endpoints(up.home)
    roots, seen = [psutil.Process(up.process.pid), psutil.Process(served.pid)], []
    try:
        with httpx.Client(timeout=120) as client:
            asked = requests(client, f"{up.url}/chat/completions")
            over = time.monotonic() + WARM + SECONDS
            while (left := over - time.monotonic()) > 0:
                next(asked)
                if left < SECONDS:
                    seen.append(resident(roots))
                time.sleep(PAUSE)
    finally:
        up.stop()  # and with it the run that serves
    processes = set.intersection(*(set(sample) for sample in seen))
    assert {root.pid for root in roots} < processes, "the gateway, the run and its worker were there all the time"
    grown = {pid: growth([sample[pid] for sample in seen]) for pid in processes}
    print(f"grown by {grown}, of {seen[-1]}, in {len(seen)} requests")
    assert sum(grown.values()) < GROWTH, grown


def test_a_leak_would_be_seen() -> None:
    """A process that keeps the keys and values of what it is asked, at this rate and sizes."""
    kept = 4 * 2 * 128 * 4 * 64  # layers, keys and values, hidden size, bytes, tokens
    held = [100_000_000 + kept * number for number in range(300)]
    assert growth(held) > GROWTH
    assert growth([100_000_000] * 99) == 0
