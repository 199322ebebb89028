"""Chatting: with an endpoint that is up, and with a model that is served for the conversation."""

from __future__ import annotations

import http.server
import io
import json
import threading

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith_cli.chat.client import ChatClient
from tunesmith_cli.chat.conversation import ChatSession


class Server:
    """An endpoint that answers with the bytes it is given, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.headers: dict[str, str] = {}
        self.status, self.kind, self.body = 200, "text/event-stream", b""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.reply(200, "application/json", b'{"data": [{"id": "tiny"}]}')

            def do_POST(self):
                outer.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                outer.headers = dict(self.headers)
                self.reply(outer.status, outer.kind, outer.body)

            def reply(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def says(self, *pieces: str, end: str = "data: [DONE]\n\n") -> None:
        lines = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces]
        self.body = (": alive\n\n" + "".join(f"data: {line}\n\n" for line in lines) + end).encode()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.server.shutdown()


def test_one_question_and_its_answer(world, server):
    server.says("Good", " morning")
    told = world("chat", "--url", server.url, "-m", "hi", "--system", "be kind", "--temperature", "0", "--max-tokens", "9")
    assert (told.status, told.out, told.err) == (0, "Good morning\n", "")
    assert server.asked == [{
        "model": "tiny", "stream": True, "temperature": 0, "max_tokens": 9,
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}],
    }]  # fmt: skip


def test_a_pipe_is_one_question(world, server, monkeypatch):
    server.says("ok")
    monkeypatch.setattr("sys.stdin", io.StringIO("first line\nsecond line\n"))
    assert world("chat", "--url", server.url).out == "ok\n"
    assert server.asked[0]["messages"][-1]["content"] == "first line\nsecond line"
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert world("chat", "--url", server.url).status == 2


def test_json_is_the_whole_answer(world, server):
    server.says("a", "b")
    assert world("chat", "--url", server.url, "-m", "x", "--json").json == {"event": "answer", "model": "tiny", "answer": "ab"}


def test_a_conversation_remembers_until_it_is_reset(server, monkeypatch, capsys):
    server.says("yes")
    typed = iter(["one", "", "two", "/nonsense", "/system be brief", "three", "/exit"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    ChatSession(ChatClient(server.url)).converse()
    turns = [[(turn["role"], turn["content"]) for turn in asked["messages"]] for asked in server.asked]
    assert turns == [
        [("user", "one")],
        [("user", "one"), ("assistant", "yes"), ("user", "two")],
        [("system", "be brief"), ("user", "three")],
    ]
    assert capsys.readouterr().out == "yes\nyes\nyes\n"


def test_a_turn_that_fails_does_not_end_the_conversation(server, monkeypatch, capsys):
    server.status, server.kind, server.body = 500, "application/json", b'{"error": {"message": "too hot"}}'
    typed = iter(["one", "two"])

    def read(prompt):
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    session = ChatSession(ChatClient(server.url))
    session.converse()
    assert len(server.asked) == 2
    assert session.turns == []
    assert capsys.readouterr().err.count("too hot") == 2


def test_an_endpoint_that_does_not_stream_is_understood(server):
    server.kind, server.body = "application/json", b'{"choices": [{"message": {"content": "all at once"}}]}'
    assert "".join(ChatClient(server.url).stream([])) == "all at once"


def test_a_stream_that_gives_its_reason_has_ended(server):
    server.says("whole", end='data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n')
    assert "".join(ChatClient(server.url, "m").stream([])) == "whole"


def test_a_key_is_sent(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    server.says("ok")
    list(ChatClient(server.url, "m").stream([]))
    assert server.headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        (404, "application/json", b'{"error": {"message": "no model x"}}', "status 404: no model x"),
        (502, "text/html", b"<html>", "status 502"),
        (200, "text/event-stream", b'data: {"error": {"message": "it broke"}}\n\n', "it broke"),
        (200, "text/event-stream", b"data: {nonsense\n\n", "broke off"),
        (200, "text/event-stream", b'data: {"choices": [{"delta": {"content": "half an"}}]}\n\n', "broke off"),
        (200, "text/event-stream", b"", "broke off"),
        (200, "application/json", b"nonsense", "broke off"),
    ],
)
def test_an_endpoint_that_fails_is_told(server, status, kind, body, said):
    server.status, server.kind, server.body = status, kind, body
    with pytest.raises(TunesmithError, match="TS-CLI-015") as caught:
        list(ChatClient(server.url, "m").stream([]))
    assert said in caught.value.why


@pytest.mark.parametrize(("status", "fix"), [(401, "OPENAI_API_KEY"), (404, "leave --served-model out"), (500, "tunesmith runs logs")])
def test_what_to_do_follows_from_the_status(server, status, fix):
    server.status, server.kind, server.body = status, "application/json", b'{"error": {"message": "no"}}'
    with pytest.raises(TunesmithError, match="TS-CLI-015") as caught:
        list(ChatClient(server.url, "m").stream([]))
    assert fix in caught.value.fix


def test_nobody_at_the_address(server):
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(UserError, match="TS-CLI-014"):
        ChatClient(server.url)


def test_a_proxy_of_the_environment_is_not_asked_about_this_machine(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.says("direct")
    assert "".join(ChatClient(server.url).stream([])) == "direct"


def test_a_model_is_served_for_one_question(world):
    told = world("chat", "--model", "shelf://hello", "-m", "hi")
    assert told.status == 0, told.err
    assert told.out == "hello heard hi\n", "the answer and nothing else"
    assert "serve kettle" in told.err
    run = world("runs", "list", "--json").json[0]
    assert run["state"] == "done"


def test_what_a_step_made_is_served(world):
    world("echo", "--model", "shelf://hello", "--data", "rows.jsonl", "--adapter", "whole")
    assert world("chat", "--from", "echo", "-m", "hi").out == "hello0 heard hi\n"


def test_an_endpoint_that_does_not_come_up_says_why(world):
    told = world("chat", "--model", "shelf://nothing", "-m", "hi")
    assert told.status == 2
    assert "TS-MODEL-001" in told.err
