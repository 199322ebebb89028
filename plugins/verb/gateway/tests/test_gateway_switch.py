"""A version is switched under load: nothing fails, and what does not keep its bounds goes back."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_processes import Gateway, start_engine, wait_for

from tunesmith_cli.api import main
from tunesmith_gateway.gateway_client import gateway_of
from tunesmith_gateway.switch.settings import SwitchSettings
from tunesmith_gateway.switch.trial_questions import SMOKE

QUICK = {"shares": [0.05, 0.5, 1.0], "hold": 0.0, "min_requests": 3, "step_timeout": 30.0}


@dataclass
class Load:
    """Clients that ask without a pause; every answer is checked to be whole and of one version."""

    gateway: Gateway
    concurrency: int = 16
    words: int = 6
    say: Callable[[int], str] = lambda number: f"q{number}"
    check: Callable[[str, str], bool] = lambda text, question: bool(
        re.fullmatch(rf"\w+:{re.escape(question)}" + "".join(f" {n}" for n in range(6)), text)
    )
    asked: int = 0
    streams: int = 0
    failed: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    over: bool = False
    at_least: int = 0

    async def run(self) -> None:
        limits = httpx.Limits(max_connections=self.concurrency)
        async with httpx.AsyncClient(timeout=120, limits=limits, trust_env=False) as client:
            await asyncio.gather(*(self._client(client) for _ in range(self.concurrency)))

    async def _client(self, client: httpx.AsyncClient) -> None:
        while not self.over or self.asked < self.at_least:
            self.asked += 1
            await self._ask(client, self.asked)

    async def _ask(self, client: httpx.AsyncClient, number: int) -> None:
        question, stream = self.say(number), number % 2 == 0
        self.streams += stream
        body = {"model": "bot", "messages": [{"role": "user", "content": question}], "temperature": 0, "stream": stream}
        try:
            answer = await client.post(f"{self.gateway.url}/chat/completions", json=body | {"max_tokens": self.words})
            text = streamed(answer.text) if stream else answer.json()["choices"][0]["message"]["content"]
            if answer.status_code != 200 or not self.check(text, question):
                raise ValueError(f"{answer.status_code} {answer.text[-300:]}")
            self.texts.append(text)
        except Exception as error:
            self.failed.append(f"{question}: {type(error).__name__}: {error}")


def streamed(raw: str) -> str:
    """The text of a stream that is whole."""
    *events, done = [event.removeprefix("data: ") for event in raw.split("\n\n") if event]
    data = [json.loads(event) for event in events]
    if done != "[DONE]" or sum(one["choices"][0]["finish_reason"] is not None for one in data) != 1:
        raise ValueError(f"a stream that is not whole: {raw[-300:]}")
    return "".join(one["choices"][0]["delta"].get("content") or "" for one in data)


@contextmanager
def under(load: Load) -> Any:
    """While the block runs, the load does; then it ends what it has begun."""
    thread = threading.Thread(target=lambda: asyncio.run(load.run()))
    thread.start()
    try:
        yield load
    finally:
        load.over = True
        thread.join()


def switch(gateway: Gateway, url: str, **more: Any) -> list[dict[str, Any]]:
    settings = asdict(SwitchSettings(**{**QUICK, **{name: value for name, value in more.items() if name != "shadow"}}))
    asked = {"model": "bot", "to": {"url": url}, "settings": settings, "smoke": list(SMOKE), "shadow": more.get("shadow", [])}
    return list(gateway_of(gateway.home, "bot", "").switch(asked))


def test_a_new_version_takes_over_step_by_step_and_the_old_one_is_drained(engine: Callable[..., Any], gateway: Callable[..., Any]) -> None:
    old, new = engine("--says", "old", "--pause", "0.01"), engine("--says", "new", "--pause", "0.01")
    up = gateway({"models": {"bot": {"url": old.url}}})
    with under(Load(up, concurrency=4)) as load:
        wait_for(lambda: load.asked > 5)
        events = switch(up, new.url)
        after = len(load.texts)
        wait_for(lambda: len(load.texts) > after + 10)
    names = [event["event"] for event in events]
    assert names == [
        "switch_smoke", *["switch_share", "switch_step"] * 3, "switched", "switch_drained", "switch_done",
    ]  # fmt: skip
    assert [event["running"] for event in events if event["event"] == "switch_drained"] == [0]
    assert all(event["answered"] >= 3 and event["p99"] > 0 for event in events if event["event"] == "switch_step")
    assert not load.failed
    assert {text[:3] for text in load.texts} == {"old", "new"}
    assert {text[:3] for text in load.texts[-5:]} == {"new"}
    assert up.metric("tunesmith_gateway_switches_total", model="bot", outcome="switched") == 1
    up.stop()
    again = gateway({"models": {"bot": {"url": old.url}}}, environment={"TUNESMITH_HOME": str(up.home)})
    assert again.ask().json()["choices"][0]["message"]["content"].startswith("new"), "a gateway that is started again goes on with it"


@pytest.mark.parametrize(
    ("words", "more", "why"),
    [
        (("--fails-at", "q"), {}, "requests failed"),
        (("--pause", "0.1"), {"max_p99": 0.3}, "99 of 100 answers took up to"),
        (("--api-key", "another"), {}, "it does not answer|smoke set"),
        ((), {"shadow": [{"prompt": "x", "max_tokens": 1, "expected": "old:x 0"}], "min_score": 0.5}, "answers 0.000 of the shadow set"),
    ],
    ids=["errors", "p99", "smoke", "shadow"],
)
def test_a_breached_bound_goes_back_by_itself(
    engine: Callable[..., Any], gateway: Callable[..., Any], words: tuple[str, ...], more: dict[str, Any], why: str
) -> None:
    old, new = engine("--says", "old"), engine("--says", "new", *words)
    up = gateway({"models": {"bot": {"url": old.url}}})
    with under(Load(up, concurrency=4)) as load:
        wait_for(lambda: load.asked > 5)
        events = switch(up, new.url, **{"shares": [0.5, 1.0], "min_requests": 5, "hold": 5.0, **more})
    assert events[-1]["event"] == "gone_back"
    assert re.search(why, events[-1]["reason"])
    assert len(load.failed) == 0 if why != "requests failed" else len(load.failed) > 0
    assert {up.ask().json()["choices"][0]["message"]["content"][:3] for _ in range(10)} == {"old"}
    (only,) = gateway_of(up.home, "bot", "").routes()["bot"]
    assert (only["share"], only["version"]) == (1.0, "1")


def test_the_command_tells_how_it_goes_and_fails_where_it_goes_back(
    engine: Callable[..., Any], gateway: Callable[..., Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old, new, bad = engine("--says", "old"), engine("--says", "new"), engine("--api-key", "x")
    up = gateway({"models": {"bot": {"url": old.url}}})
    home = ["--home", str(up.home)]
    assert main([*home, "serve", "switch", "bot", "--to", bad.url, "--at-once", "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out.splitlines()[-2])["event"] == "gone_back" or "gone_back" in told.out
    assert "TS-SERVE-046" in told.out + told.err
    assert main([*home, "serve", "switch", "bot", "--to", new.url, "--at-once"]) == 0
    assert f"bot is served by {new.url}" in capsys.readouterr().out
    assert up.ask().json()["choices"][0]["message"]["content"].startswith("new")
    assert main([*home, "gateway", "routes", "--json"]) == 0
    (routes,) = json.loads(capsys.readouterr().out).values()
    assert routes["bot"][0]["version"] == new.url


def test_what_can_not_be_switched_is_told_before_anything_is_started(
    small: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    up, _ = small
    home = ["--home", str(up.home)]
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "x"}\n{}\nno\n')
    mistakes = {
        "TS-SERVE-044": [["--home", str(tmp_path), "serve", "switch", "bot", "--to", "x"], [*home, "serve", "switch", "bto", "--to", "x"]],
        "TS-SERVE-047": [[*home, "serve", "switch", "bot", "--to", "x", "--shadow", str(rows)]],
        "TS-CLI-006": [[*home, "serve", "switch", "bot", "--to", "x", "--min-score", "0.5"]],
        "TS-CLI-002": [[*home, "serve", "switch", "bot", "--to", "x", "--shares", "0.5,0.1"], [*home, "serve", "switch", "bot"]],
    }
    for code, commands in mistakes.items():
        for words in commands:
            assert main(words) == 2, words
            assert code in capsys.readouterr().err
    assert len(httpx.get(f"{up.url}/models").json()["data"]) == 2


def test_a_new_version_that_does_not_come_up_says_why(small: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    up, _ = small
    assert main(["--home", str(up.home), "serve", "switch", "bot", "--to", f"file://{tmp_path}/nothing"]) == 1
    told = capsys.readouterr().err
    assert "TS-SERVE-045" in told
    assert "TS-MODEL" in told or "TS-PLAN" in told, "the reason of the run is quoted"


@pytest.mark.slow
def test_ten_switches_and_a_killed_engine_fail_none_of_2000_requests(gateway: Callable[..., Any], tmp_path: Path) -> None:
    """The small engine, a real server in a process for each version. The first version has two of them, and one of these is killed by
    SIGKILL in the middle of its streams while the first switch goes on."""
    first, spare = (start_engine("--says", "v0", "--pause", "0.02") for _ in range(2))
    engines = [first, spare]
    try:
        up = gateway(
            {"models": {"bot": {"upstreams": [{"url": first.url}, {"url": spare.url}]}}, "resume_streams": True, "upstream_wait": 60}
        )
        broken = 0
        with under(Load(up, at_least=2000)) as load:
            for number in range(1, 11):
                engines.append(start_engine("--says", f"v{number}", "--pause", "0.02"))
                if number == 1:
                    ask = {"model": "bot", "messages": [{"role": "user", "content": "die midway"}]}
                    with pytest.raises(httpx.HTTPError):
                        httpx.post(f"{first.url}/chat/completions", json=ask, timeout=60, trust_env=False)
                    wait_for(lambda: up.metric("tunesmith_gateway_resumed_streams_total", model="bot"), 30)
                events = switch(up, engines[-1].url, min_requests=10)
                assert events[-1]["event"] == "switch_done", events[-1]
                for old in engines[:-1]:
                    broken += old.state["gone"] if old.process.poll() is None else 0
                    old.kill()
        resumed = up.metric("tunesmith_gateway_resumed_streams_total", model="bot")
        retried = up.metric("tunesmith_gateway_retries_total", model="bot")
        versions = {text.partition(":")[0] for text in load.texts}
        told = f"{load.asked} requests, {load.streams} of them streams, {len(load.failed)} failed; {resumed:.0f} streams taken up elsewhere"
        print(f"{told}, {retried:.0f} requests tried again; versions {sorted(versions)}")
        assert load.failed == []
        assert load.asked >= 2000
        assert len(load.texts) == load.asked
        assert resumed >= 1
        assert broken == 0, "no server saw a client leave in the middle"
        assert versions == {f"v{number}" for number in range(11)}
    finally:
        for one in engines:
            one.process.kill()
            one.process.wait()


@pytest.mark.slow
def test_a_real_backend_is_switched_under_load_and_its_old_run_ends(
    gateway: Callable[..., Any], tiny_model: Callable[..., Path], tmp_path: Path
) -> None:
    """The transformers backend with a tiny model, served by runs of this home."""
    from tunesmith_cli.api import running_endpoints

    old, new = tiny_model(initializer_range=0.15), tiny_model(initializer_range=0.2)
    up = gateway({}, "--serve", "--", "transformers", "--model", f"file://{old}", "--name", "bot", "--dtype", "float32", "--threads", "1")
    (first,) = running_endpoints(up.home)
    load = Load(up, concurrency=4, words=6, check=lambda text, question: bool(text))
    with under(load):
        wait_for(lambda: len(load.texts) > 5)
        words = ["serve", "switch", "bot", "--to", f"file://{new}", "--shares", "0.2,1", "--hold", "0", "--min-requests", "5"]
        assert main(["--home", str(up.home), *words, "--", "transformers", "--dtype", "float32", "--threads", "1"]) == 0
        wait_for(lambda: first.pid not in {endpoint.pid for endpoint in running_endpoints(up.home)})
        after = len(load.texts)
        wait_for(lambda: len(load.texts) > after + 10)
    assert load.failed == []
    (second,) = running_endpoints(up.home)
    assert second.step.startswith("switch-")
    up.stop()
    import os
    import signal

    os.kill(second.pid, signal.SIGTERM)
    wait_for(lambda: not list(running_endpoints(up.home)))
