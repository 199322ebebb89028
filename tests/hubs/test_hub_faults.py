"""Whatever the network does, and however often a download is killed: the right file, or a coded error. For every hub."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith_sdk.testing.hub_models import model_files

WEIGHTS = "model.safetensors"
SIZE = 3_000_000  # bytes: three parts


def many(few: int) -> list:
    """Few rounds in every run of the tests, 200 in the slow ones."""
    return [pytest.param(few, id=f"{few} times"), pytest.param(200, id="200 times", marks=pytest.mark.slow)]


@pytest.mark.parametrize("rounds", many(3))
def test_a_byte_flipped_anywhere_is_noticed_and_only_its_part_comes_again(hub, cache, rounds):
    draw = random.Random(rounds)
    hub.put(model_files(SIZE))
    size = len(hub.files[WEIGHTS])
    for turn in range(rounds):
        cache(f"flips-{turn}")
        hub.server.faults.clear()
        hub.server.seen.clear()
        hub.server.fault(WEIGHTS, times=10**9, corrupt=draw.randrange(size), once=True)
        files, step = hub.load()
        assert files == hub.files
        assert [level for level, message in step.reports.logs if "damaged" in message] == ["warning"]
        assert hub.server.sent(WEIGHTS) <= 2 * size + 1


@pytest.mark.parametrize("rounds", many(2))
def test_killed_anywhere_it_goes_on_and_brings_the_right_files(hub, cache, tmp_path, rounds):
    draw = random.Random(rounds)
    hub.put(model_files(SIZE))
    size = len(hub.files[WEIGHTS])
    hub.server.fault(WEIGHTS, times=10**9, delay=0.001)
    resumed = 0
    with Forks(hub) as forks:
        for turn in range(rounds):
            cache_folder = cache(f"kills-{turn}")
            hub.server.seen.clear()
            pid = forks.start(cache_folder, tmp_path / f"killed-{turn}")
            until, deadline = draw.randrange(size), time.monotonic() + 60
            while hub.server.sent("/cdn/") < until and time.monotonic() < deadline:
                time.sleep(0.0005)
            os.kill(pid, signal.SIGKILL)
            forks.wait()
            hub.server.seen.clear()
            files, step = hub.load()
            assert files == hub.files
            assert not [message for _, message in step.reports.logs if "damaged" in message]
            resumed += hub.server.sent("/cdn/") < size
    assert resumed > rounds * 0.4 or rounds < 10  # many a kill came after something had been recorded


@pytest.mark.parametrize("cut", [0, 1, 65_536, 200_001])
def test_cut_connections_are_taken_up_again(hub, cut):
    hub.server.fault(WEIGHTS, times=2, cut_after=cut)
    hub.server.fault("tokenizer.json", cut_after=3)
    assert hub.load()[0] == hub.files


@pytest.mark.parametrize("size", [0, 1000, 400_000])
def test_a_file_of_another_size_than_the_listed_one_is_refused(hub, size):
    hub.server.fault(WEIGHTS, times=100, size=size)
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        hub.load()
    hub.server.faults.clear()
    assert hub.load()[0] == hub.files


def test_errors_that_pass_are_waited_out_as_long_as_the_server_asks(hub, local_step):
    waits, step, loader = [], local_step(), hub.loader()
    step.wait_cancelled = lambda seconds=None: waits.append(seconds) or False
    hub.server.fault("api", status=429, headers={"Retry-After": "7"})
    hub.server.fault("api", status=503)
    hub.server.fault(WEIGHTS, status=503)
    hub.server.fault(WEIGHTS, status=429, headers={"Retry-After": "0"})
    loader.fetch(loader.resolve(hub.kind.uri, step), step.output, step)
    assert waits == [7.0, 0.02]


def test_an_address_that_expired_is_asked_for_again(hub):
    hub.put(model_files(SIZE))
    hub.server.fault(WEIGHTS, times=2)  # a look for ranges, and the first part
    hub.server.fault(WEIGHTS, status=403)
    assert hub.load(connections=1)[0] == hub.files


def test_a_token_stays_with_the_hub_and_one_without_access_is_said(hub, mirror, monkeypatch):
    hub.put(model_files(300_001), private=True)
    hub.server.repos["org/small"].private = True
    monkeypatch.setenv(hub.kind.token, "expired-token")
    with pytest.raises(UserError) as caught:
        hub.load()
    assert caught.value.code in {"TS-MODEL-001", "TS-MODEL-006"}
    assert "expired-token" not in repr(caught.value.to_json())
    monkeypatch.setenv(hub.kind.token, hub.server.token)
    hub.server.fault(WEIGHTS, times=100, status=500)
    hub.server.seen.clear()
    mirror.add("org/small", hub.server.repos["org/small"].commits[[*hub.server.repos["org/small"].commits][-1]])
    assert hub.load(mirrors=(mirror.url,), max_retries=0)[0] == hub.files
    assert {seen.token for seen in (*hub.server.seen, *mirror.seen)} == {hub.server.token, ""}
    assert {seen.token for seen in mirror.seen} == {""}
    assert {seen.token for seen in hub.server.seen if "/cdn/" in seen.path} == {""}


class Forks:
    """A process that forks one for each download, so that 200 of them cost no start of Python each."""

    CODE = """
import os, sys
from pathlib import Path
from tunesmith_sdk.local_step import LocalStep
import importlib
module, _, name = sys.argv[1].partition(":")
loader = getattr(importlib.import_module(module), name)
module, _, name = sys.argv[2].partition(":")
settings = getattr(importlib.import_module(module), name)
import tunesmith_hubs.loader
for line in sys.stdin:
    cache, folder = line.split()
    pid = os.fork()
    if not pid:
        os.environ["TUNESMITH_CACHE"] = cache
        step, made = LocalStep.make(Path(folder)), loader(settings(part_mib=1, backoff=0.01, timeout=5.0))
        made.fetch(made.resolve(sys.argv[3], step), step.output, step)
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""

    def __init__(self, hub) -> None:
        kind = hub.kind
        self._process = subprocess.Popen([sys.executable, "-c", self.CODE, kind.loader, kind.settings, kind.uri],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip

    def start(self, cache, folder) -> int:
        self._process.stdin.write(f"{cache} {folder}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self) -> None:
        assert self._process.stdout.readline() == "ended\n"

    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)
