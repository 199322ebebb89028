"""Keys and what they may: hashed, taken up and taken away while the gateway is up, limited, and never written anywhere."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_processes import wait_for

from tunesmith.errors import Problems
from tunesmith_cli.api import main
from tunesmith_gateway.api_errors import ApiError
from tunesmith_gateway.clients.api_keys import Client, add_key, hash_of, read_keys
from tunesmith_gateway.clients.rate_limits import Limiter
from tunesmith_gateway.settings import LimitSettings


def make_key(path: Path, name: str, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["gateway", "key", name, "--file", str(path), "--json", *words]) == 0
    return str(json.loads(capsys.readouterr().out)["key"])


def test_a_key_is_made_shown_once_and_only_its_hash_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys.yaml"
    key = make_key(path, "alice", capsys, "--requests-per-minute", "60", "--model", "bot")
    assert key not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (entry,) = read_keys(path)
    assert (entry.name, entry.hash, entry.requests_per_minute, entry.models) == ("alice", hash_of(key), 60, ["bot"])
    assert make_key(path, "bob", capsys) != key
    assert main(["gateway", "key", "bob", "--file", str(path)]) == 2
    assert "TS-SERVE-042" in capsys.readouterr().err
    assert [one.name for one in read_keys(path)] == ["alice", "bob"]


def test_a_key_of_one_s_own_is_hashed_unless_it_can_be_guessed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2\n"))
    assert main(["gateway", "key", "carol", "--stdin"]) == 2
    assert "can be guessed" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("k" * 32 + "\n"))
    assert main(["gateway", "key", "carol", "--stdin"]) == 0
    told = capsys.readouterr().out
    assert hash_of("k" * 32) in told
    assert "k" * 32 not in told


def test_a_file_of_keys_that_can_not_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gateway", "key", "alice", "--file", str(tmp_path / "nowhere" / "keys.yaml")]) == 2
    told = capsys.readouterr().err
    assert "TS-SERVE-042" in told
    assert "keys.yaml can't be written" in told


def test_all_mistakes_in_a_file_of_keys_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("- {name: a b, hash: md5:0}\n- {name: c, hash: x, colour: red}\n")
    with pytest.raises(Problems) as caught:
        read_keys(path)
    assert len(caught.value.problems) == 4
    with pytest.raises(Problems):
        add_key(path, {"name": "d", "hash": hash_of("e")})
    assert "d" not in [line[8:9] for line in path.read_text().splitlines()], "it is left as it was"


def test_only_keys_that_are_known_get_answers_and_one_can_be_taken_away(
    tmp_path: Path, engine: Callable[..., Any], gateway: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path, one = tmp_path / "keys.yaml", engine("--api-key", "upstream-secret")
    alice = make_key(path, "alice", capsys, "--model", "bot")
    models = {name: {"url": one.url, "model": "small", "key_env": "ENGINE_KEY"} for name in ("bot", "other")}
    settings = {"models": models, "keys_file": str(path), "keys_env": "GATEWAY_KEYS", "access_log_contents": True}
    told = "environment-key-of-dave-0123456789"
    up = gateway(settings, environment={"ENGINE_KEY": "upstream-secret", "GATEWAY_KEYS": f"{told}, "})
    for key in ("", "nobody-s", alice + "x"):
        refused = up.ask(key=key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
        assert refused.headers["www-authenticate"] == "Bearer"
    assert httpx.get(f"{up.root}/metrics").status_code == 401
    assert httpx.get(f"{up.root}/health").status_code == 200
    assert up.ask("hello", key=alice).status_code == up.ask(key=told).status_code == 200
    assert up.ask(model="other", key=alice).status_code == 404, "it may ask one model"
    bearer = {"Authorization": f"Bearer {alice}"}
    assert [m["id"] for m in httpx.get(f"{up.url}/models", headers=bearer).json()["data"]] == ["bot"]
    bob = make_key(path, "bob", capsys)
    assert up.ask(key=bob, model="other").status_code == 200, "a key is taken up at once"
    path.write_text(path.read_text()[path.read_text().index("- name: bob") :])
    assert up.ask(key=alice).status_code == 401, "and taken away"
    path.write_text("- nonsense")
    assert up.ask(key=bob).status_code == 200, "a file that is wrong changes nothing"
    assert {line["key"] for line in up.lines()} == {"", "alice", "bob", "GATEWAY_KEYS-1"}
    assert "content" in up.lines()[4], "only where the configuration asks for it"
    metrics = httpx.get(f"{up.root}/metrics", headers={"Authorization": f"Bearer {bob}"}).text
    up.stop()
    for secret in (alice, bob, told, "upstream-secret"):
        assert secret not in up.log.read_text() + up.errors.read_text() + metrics + up.output.read_text()


def test_limits_are_429_with_the_time_to_wait(
    tmp_path: Path, engine: Callable[..., Any], gateway: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path, one = tmp_path / "keys.yaml", engine("--pause", "0.1")
    rated = make_key(path, "rated", capsys, "--requests-per-minute", "2")
    narrow = make_key(path, "narrow", capsys, "--concurrency", "1", "--max-request-bytes", "300")
    default = make_key(path, "default", capsys)
    limits = {"requests_per_minute": 3, "max_request_bytes": 500}
    up = gateway({"models": {"bot": {"url": one.url}}, "keys_file": str(path), "limits": limits, "max_request_bytes": 1024})
    assert [up.ask(key=rated, max_tokens=0).status_code for _ in range(3)] == [200, 200, 429]
    refused = up.ask(key=rated)
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert up.ask("x" * 250, key=narrow).status_code == 413
    assert up.ask("x" * 250, key=default, max_tokens=0).status_code == 200
    assert up.ask("x" * 450, key=default).status_code == 413
    long = threading.Thread(target=lambda: up.ask(key=narrow, max_tokens=10))
    long.start()
    wait_for(lambda: one.state["running"])
    second = up.ask(key=narrow)
    assert (second.status_code, second.json()["error"]["code"]) == (429, "concurrency_exceeded")
    long.join()
    assert up.ask(key=narrow, max_tokens=0).status_code == 200


def test_a_bucket_fills_with_time_and_what_is_under_way_is_given_back_after_a_failure() -> None:
    now = [0.0]
    limiter, client = Limiter(lambda: now[0]), Client("a", LimitSettings(requests_per_minute=60, concurrency=2))
    for _ in range(60):
        with limiter.request(client):
            pass
    with pytest.raises(ApiError) as caught, limiter.request(client):
        pass
    assert caught.value.retry_after == 1
    now[0] = 2.0
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), limiter.request(client):
            raise ZeroDivisionError
    now[0] = 100.0
    with limiter.request(client), limiter.request(client), pytest.raises(ApiError), limiter.request(client):
        pass
    now[0] = 50.0  # a clock that jumps back takes nothing away
    with limiter.request(client):
        pass
