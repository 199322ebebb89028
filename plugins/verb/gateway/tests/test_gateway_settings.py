"""The configuration: all mistakes at once, nobody let in by accident, and each setting with an effect."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_processes import wait_for

from tunesmith.errors import Problems
from tunesmith_cli.api import main
from tunesmith_gateway.config_file import load
from tunesmith_gateway.settings import GatewaySettings, LimitSettings, ModelSettings, UpstreamSettings

#: setting -> where its effect is shown
TRIED = {
    "host": "test_listening_to_strangers_without_a_key_is_refused_unless_forced",
    "port": "test_a_port_that_is_taken_is_told_with_its_holder",
    "discover": "test_running_endpoints_of_the_home_are_taken_up_as_they_come_and_go",
    "models": "test_openai_s_client_is_answered_whole_and_in_pieces",
    "keys_file": "test_only_keys_that_are_known_get_answers_and_one_can_be_taken_away",
    "keys_env": "test_only_keys_that_are_known_get_answers_and_one_can_be_taken_away",
    "allow_without_keys": "test_listening_to_strangers_without_a_key_is_refused_unless_forced",
    "limits": "test_limits_are_429_with_the_time_to_wait",
    "max_request_bytes": "test_a_body_of_100_mb_is_refused_before_it_is_read",
    "tls_certificate": "test_https_with_files_of_one_s_own",
    "tls_key": "test_https_with_files_of_one_s_own",
    "cors_origins": "test_web_pages_of_the_list_may_call_and_no_others",
    "allowed_hosts": "test_web_pages_of_the_list_may_call_and_no_others",
    "access_log": "test_a_request_s_id_is_the_client_s_and_goes_to_server_and_log_without_what_was_said",
    "access_log_contents": "test_only_keys_that_are_known_get_answers_and_one_can_be_taken_away",
    "traces": "test_each_request_is_a_span_that_a_collector_is_sent",
    "connect_timeout": "test_a_server_that_takes_no_connection_is_given_up",
    "first_byte_timeout": "test_a_servers_own_error_is_passed_on_and_one_that_hangs_is_a_504",
    "idle_timeout": "test_a_stream_that_stalls_is_ended",
    "client_timeout": "test_half_open_connections_and_half_requests_are_closed",
    "upstream_wait": "test_requests_wait_for_a_server_that_is_started_again",
    "max_retries": "test_a_request_is_tried_elsewhere_as_often_as_the_setting_says",
    "resume_streams": "test_a_stream_goes_on_at_another_server_when_its_own_is_killed",
    "health_interval": "test_requests_wait_for_a_server_that_is_started_again",
    "shutdown_grace": "test_sigterm_lets_streams_end_and_what_takes_longer_is_told",
    "url": "test_openai_s_client_is_answered_whole_and_in_pieces",
    "step": "test_running_endpoints_of_the_home_are_taken_up_as_they_come_and_go",
    "model": "test_a_stream_is_passed_on_byte_by_byte_and_as_it_comes",
    "key_env": "test_only_keys_that_are_known_get_answers_and_one_can_be_taken_away",
    "upstreams": "test_a_request_is_tried_elsewhere_as_often_as_the_setting_says",
    "requests_per_minute": "test_limits_are_429_with_the_time_to_wait",
    "concurrency": "test_limits_are_429_with_the_time_to_wait",
}


def test_every_setting_has_a_test_that_shows_its_effect() -> None:
    fields = {name for cls in (GatewaySettings, LimitSettings, UpstreamSettings, ModelSettings) for name in cls.__dataclass_fields__}
    assert TRIED.keys() == fields
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert not [name for name in TRIED.values() if f"def {name}(" not in tests]


def problems_of(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    with pytest.raises(Problems) as caught:
        load(path, {})
    return [f"{problem.code} {problem.what}" for problem in caught.value.problems]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems_of(tmp_path, "port: high\nmodel: {}\nhealth_interval: 0\nlimits: {concurrency: -1}\nmodels: {a: {urk: x}}\n")
    assert len(found) == 5
    assert all("TS-SERVE-041" in one and "gateway.yaml" in one for one in found)
    found = problems_of(
        tmp_path,
        "tls_key: none.pem\nkeys_env: NOT_SET_ANYWHERE\n"
        "models: {a: {}, b: {url: x, step: y}, c: {upstreams: [{url: 'http://h/v1'}, {}]}}\n",
    )
    assert len(found) == 7, found


def test_a_file_that_is_no_mapping_or_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.yaml").write_text("[1]")
    assert main(["gateway", "check", "--config", str(tmp_path / "g.yaml")]) == 2
    assert main(["gateway", "check", "--config", str(tmp_path / "absent.yaml")]) == 2
    assert capsys.readouterr().err.count("error TS-SERVE-041") == 2


def test_check_shows_every_setting_that_would_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.yaml").write_text("models: {a: {url: 'http://h/v1'}}\nmax_retries: 1\n")
    words = ["gateway", "check", "--config", str(tmp_path / "g.yaml"), "--route", "b=api", "--port", "7", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["port"], told["max_retries"], sorted(told["models"])) == (7, 1, ["a", "b"])
    assert told.keys() == GatewaySettings.__dataclass_fields__.keys()


def test_listening_to_strangers_without_a_key_is_refused_unless_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_ = "host: 0.0.0.0\nmodels: {a: {url: 'http://h/v1'}}\n"
    (found,) = problems_of(tmp_path, open_)
    assert found.startswith("TS-SERVE-040")
    (tmp_path / "forced.yaml").write_text(open_ + "allow_without_keys: true\n")
    assert load(tmp_path / "forced.yaml", {}).host == "0.0.0.0"
    assert main(["gateway", "key", "a", "--file", str(tmp_path / "keys.yaml")]) == 0
    (tmp_path / "keyed.yaml").write_text(open_ + "keys_file: keys.yaml\n")
    assert load(tmp_path / "keyed.yaml", {}).keys_file == str(tmp_path / "keys.yaml")
    capsys.readouterr()


def test_a_port_that_is_taken_is_told_with_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = ["--home", str(tmp_path), "gateway", "--route", "a=http://127.0.0.1:9/v1", "--port", str(taken.getsockname()[1])]
        assert main(words) == 2
    assert "TS-SERVE-001" in capsys.readouterr().err


def test_https_with_files_of_one_s_own(tmp_path: Path, small: Any, gateway: Callable[..., Any]) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    up = gateway({"models": {"bot": {"url": small[1].url}}, "tls_certificate": str(certificate), "tls_key": str(key)})
    assert up.url.startswith("https://")
    with httpx.Client(verify=ssl.create_default_context(cafile=str(certificate))) as client:
        assert up.ask(client=client).json()["choices"][0]["message"]["content"].startswith("one:hello")


def test_web_pages_of_the_list_may_call_and_no_others(small: Any, gateway: Callable[..., Any]) -> None:
    up = gateway(
        {"models": {"bot": {"url": small[1].url}}, "cors_origins": ["https://app.example.com"], "allowed_hosts": ["llm.example.com"]}
    )
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    allowed = httpx.options(f"{up.url}/chat/completions", headers={"Origin": "https://app.example.com", **asked})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://app.example.com")
    other = httpx.options(f"{up.url}/chat/completions", headers={"Origin": "https://evil.example.com", **asked})
    assert (other.status_code, other.headers.get("access-control-allow-origin")) == (400, None)
    assert httpx.get(f"{up.url}/models", headers={"Host": "llm.example.com"}).status_code == 200
    assert httpx.get(f"{up.url}/models", headers={"Host": "x.example.com"}).status_code == 403


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """What takes OTLP over HTTP, and the bodies that it was sent."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()


def test_each_request_is_a_span_that_a_collector_is_sent(small: Any, gateway: Callable[..., Any], collector: Any) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    import gzip

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    up = gateway({"models": {"bot": {"url": small[1].url}}, "traces": collector[0]})
    trace = "0af7651916cd43dd8448eb211c80319c"
    body = {"model": "bot", "messages": [{"role": "user", "content": "hello"}]}
    assert (
        httpx.post(f"{up.url}/chat/completions", json=body, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}).status_code == 200
    )
    told = small[1].state["headers"]["traceparent"].split("-")
    up.stop()
    (raw,) = collector[1]
    request = ExportTraceServiceRequest.FromString(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    (span,) = request.resource_spans[0].scope_spans[0].spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (trace, "b7ad6b7169203331")
    assert told[1:3] == [trace, span.span_id.hex()], "the server's span will stand below it"
    attributes = {one.key: one.value for one in span.attributes}
    assert attributes["gen_ai.request.model"].string_value == "bot"
    assert attributes["http.response.status_code"].int_value == 200
    assert b"hello" not in raw


def test_without_what_it_runs_on_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import tunesmith_gateway.commands as commands

    monkeypatch.setattr(commands, "_RUNTIME", ("httpx", "not_there_at_all"))
    assert main(["gateway", "--discover"]) == main(["serve", "switch", "a", "--to", "b"]) == 2
    told = capsys.readouterr().err
    assert told.count("error TS-SERVE-043") == 2
    assert "not_there_at_all" in told
    assert main(["gateway", "--help"]) == 0
    assert "docs/gateway.md" in capsys.readouterr().out


def test_traces_without_the_sdk_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from tunesmith.errors import UserError
    from tunesmith_gateway.telemetry.traces import Traces

    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UserError, match="TS-SERVE-043"):
        Traces("http://127.0.0.1:4318")


def test_the_page_lists_every_setting_and_its_example_is_as_it_should_be(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "gateway.md").read_text()
    assert not [name for name in TRIED if f"`{name}`" not in page]
    (tmp_path / "gateway.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    assert main(["gateway", "key", "alice", "--file", str(tmp_path / "keys.yaml")]) == 0
    assert sorted(load(tmp_path / "gateway.yaml", {}).models) == ["big", "bot"]


def test_running_endpoints_of_the_home_are_taken_up_as_they_come_and_go(
    tmp_path: Path, engine: Callable[..., Any], gateway: Callable[..., Any]
) -> None:
    """The kernel's note of an endpoint, and the lock of its run, are made by hand here; test_gateway_switch.py has real runs."""
    from tunesmith.contracts.cache_files import write_note
    from tunesmith.running.journal.run_directories import lock

    one, other = engine("--says", "here"), engine("--says", "there")
    up = gateway({"discover": True, "models": {"named": {"step": "api"}}, "upstream_wait": 0})
    assert [m["id"] for m in httpx.get(f"{up.url}/models").json()["data"]] == ["named"]
    assert up.ask(model="named").status_code == 503
    run, held = up.home / "runs" / "20260101-000000-abcd", lock(up.home, "20260101-000000-abcd")
    assert held.try_acquire()
    note = run / "endpoints" / "api.json"
    write_note(note, {"pid": 1, "facts": {"url": one.url, "model": "llama"}})
    wait_for(lambda: up.ask(model="llama").status_code == 200)
    assert up.ask(model="named").json()["choices"][0]["message"]["content"].startswith("here:")
    write_note(note, {"pid": 1, "facts": {"url": other.url, "model": "llama"}})  # started again at another port
    wait_for(lambda: "there:" in up.ask(model="named").text)
    note.unlink()
    wait_for(lambda: up.ask(model="llama").status_code == 404)
    held.release()


def test_a_server_that_takes_no_connection_is_given_up(gateway: Callable[..., Any]) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # the queue of connections is full: another one hangs
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        up = gateway(
            {
                "models": {"bot": {"url": f"http://127.0.0.1:{full.getsockname()[1]}/v1"}},
                "connect_timeout": 0.5,
                "max_retries": 0,
                "health_interval": 3600,
            },
        )
        answer = up.ask()
        assert answer.status_code == 502
        assert "ConnectTimeout" in answer.text
        for filler in fillers:
            filler.close()
