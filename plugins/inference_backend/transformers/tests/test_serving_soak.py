"""A server that has answered thousands of requests holds no more than one that has answered hundreds."""

from __future__ import annotations

import gc
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.slow

ROUNDS, REQUESTS = 6, 500
GROWTH = 48 * 2**20  # bytes that the later rounds may add together: allocators of several threads


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def request(draw: random.Random) -> dict[str, Any]:
    """Of all kinds: short and long, whole and streamed, several answers, scored, sampled, wrong ones."""
    kind = draw.choice(["plain", "stream", "several", "scored", "chat", "wrong"])
    text = "".join(draw.choices("abc é你🦊", k=draw.randint(1, 120)))
    asked: dict[str, Any] = {"model": "tiny", "prompt": text, "max_tokens": draw.randint(1, 24), "temperature": draw.choice([0, 1])}
    more = {
        "plain": {}, "stream": {"stream": True}, "several": {"n": 3}, "scored": {"echo": True, "logprobs": 5, "max_tokens": 0},
        "chat": {"messages": [{"role": "user", "content": text}], "max_completion_tokens": 5}, "wrong": {"temperature": 7},
    }[kind]  # fmt: skip
    if kind == "chat":
        return {"model": "tiny", **more}
    return asked | more


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_is_flat_over_thousands_of_requests(serve: Any, tiny: Path) -> None:
    draw, sizes = random.Random(4), []
    with serve(tiny, max_num_seqs=8, kv_cache_gib=0.01) as server, httpx.Client(timeout=60) as client, ThreadPoolExecutor(8) as pool:

        def send(asked: dict[str, Any]) -> int:
            route = "chat/completions" if "messages" in asked else "completions"
            answer = client.post(f"{server.url}/{route}", json=asked)
            assert answer.status_code == (400 if asked.get("temperature") == 7 else 200), answer.text
            return len(answer.content)

        for _ in range(ROUNDS):
            assert all(pool.map(send, [request(draw) for _ in range(REQUESTS)]))
            sizes.append(resident())
        assert server.metric("tunesmith_sequences_running") == server.metric("tunesmith_sequences_waiting") == 0
    assert sizes[-1] - sizes[1] < GROWTH, [size // 2**20 for size in sizes]
