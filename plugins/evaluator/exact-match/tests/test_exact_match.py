"""Against a real HTTP server on this machine that speaks as much of the chat API as is asked of it, and stumbles where a test says so."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tunesmith.contracts import Artifact, Cancelled, TunesmithError, UserError
from tunesmith_data.api import message
from tunesmith_exact_match.evaluator import ExactMatch
from tunesmith_exact_match.settings import ExactMatchSettings
from tunesmith_sdk.testing.datasets import dataset
from tunesmith_serve import endpoint_client


class Server(ThreadingHTTPServer):
    """Answers the last user's turn from `answers`; `before(number)` may return (status, body) to send instead."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.seen, self.before, self.lock = answers, [], lambda number: None, threading.Lock()

    @property
    def endpoint(self):
        url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        return Artifact("endpoint/openai", None, meta={"url": url, "model": "m"})


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append(body)
            number = len(self.server.seen)
        status, reply = self.server.before(number) or (200, None)
        if status is None:  # hang up
            self.close_connection = True
            return
        text = self.server.answers.get(body["messages"][-1]["content"], "no idea")
        reply = reply if reply is not None else json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})
        self.send_response(status)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply.encode())

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(endpoint_client, "FIRST_DELAY", 0.01)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not be used for this machine's own ports
    server = Server({f"q{n}": f"The answer {n}." for n in range(20)})
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def rows(count, wrong=0):
    return [{"messages": [message("user", f"q{n}"), message("assistant", f"answer {n + (n < wrong) * 100}")]} for n in range(count)]


def evaluate(server, step, data, **settings):
    return ExactMatch(ExactMatchSettings(**settings)).evaluate(
        server.endpoint, data if data is None else dataset(step.work / "rows", data), step
    )


def test_the_metric_is_the_share_of_right_answers(server, local_step):
    evaluation = evaluate(server, local_step(), rows(20, wrong=5))
    assert evaluation.metrics == {"exact_match": 0.75}
    assert evaluation.samples[7] == {"question": "q7", "expected": "answer 7", "answer": "The answer 7.", "right": True}
    assert [sample["right"] for sample in evaluation.samples] == [False] * 5 + [True] * 15


def test_the_request_is_greedy_bounded_and_has_the_whole_conversation(server, local_step):
    talk = [
        message("system", "Be brief."),
        message("user", "q0"),
        message("assistant", "x"),
        message("user", "q1"),
        message("assistant", "y"),
    ]
    evaluate(server, local_step(), [{"messages": talk, "tools": [{"type": "function"}]}], max_tokens=7)
    body = server.seen[0]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0, 7)
    assert [turn["content"] for turn in body["messages"]] == ["Be brief.", "q0", "x", "q1"]
    assert body["tools"] == [{"type": "function"}]


def test_an_adapter_that_is_served_beside_its_base_can_be_asked(server, local_step):
    evaluate(server, local_step(), rows(1), model="polite")
    assert server.seen[0]["model"] == "polite"
    server.before = lambda number: (404, json.dumps({"error": {"message": "there is no `polit`"}}))
    with pytest.raises(TunesmithError) as caught:
        evaluate(server, local_step(), rows(1), model="polit")
    assert "there is no `polit`" in caught.value.why
    assert "setting `model`: m" in caught.value.fix


def test_containing_the_answer_is_enough_if_asked(server, local_step):
    data = [{"messages": [message("user", "q1"), message("assistant", "1")]}]
    assert evaluate(server, local_step(), data).metrics == {"exact_match": 0.0}
    assert evaluate(server, local_step(), data, match="contains").metrics == {"exact_match": 1.0}


def test_questions_are_under_way_together_and_answers_keep_their_order(server, local_step):
    together = threading.Barrier(8)  # the first eight are answered only once all of them are here
    server.before = lambda number: together.wait(10) and None if number <= 8 else None
    evaluation = evaluate(server, local_step(), rows(20), concurrency=8)
    assert [sample["question"] for sample in evaluation.samples] == [f"q{n}" for n in range(20)]
    assert evaluation.metrics == {"exact_match": 1.0}


@pytest.mark.parametrize("stumble", [(503, "busy"), (429, "slow down"), (None, None)])
def test_a_server_that_stumbles_is_asked_again(server, local_step, stumble):
    server.before = lambda number: stumble if number <= 3 else None
    assert evaluate(server, local_step(), rows(2)).metrics == {"exact_match": 1.0}


@pytest.mark.parametrize(("reply", "code", "why"), [
    ((500, "boom"), "TS-SERVE-020", "HTTP 500: boom"),
    ((None, None), "TS-SERVE-020", "closed"),
    ((400, '{"error": {"message": "too long"}}'), "TS-SERVE-021", "HTTP 400: too long"),
    ((200, "<html>"), "TS-SERVE-022", "<html>"),
])  # fmt: skip
def test_a_server_that_fails_is_an_error_and_not_a_wrong_answer(server, local_step, reply, code, why):
    server.before = lambda number: reply
    with pytest.raises(TunesmithError) as caught:
        evaluate(server, local_step(), rows(2), max_retries=2)
    assert caught.value.code == code
    assert why in caught.value.why


def test_no_server_is_an_error(server, local_step, tmp_path):
    endpoint = server.endpoint
    server.shutdown()
    server.server_close()
    with pytest.raises(TunesmithError, match="TS-SERVE-020"):
        ExactMatch(ExactMatchSettings(max_retries=1)).evaluate(endpoint, dataset(tmp_path / "rows", rows(1)), local_step())


def test_cancelling_does_not_wait_for_answers(server, local_step):
    step = local_step()
    server.before = lambda number: step.cancelled.set() or time.sleep(5)
    with pytest.raises(Cancelled):
        evaluate(server, step, rows(4))


@pytest.mark.parametrize(("data", "code"), [
    (None, "TS-DATA-040"), ([], "TS-DATA-040"), ([{"messages": [message("user", "q")]}], "TS-DATA-041"),
    ([{"messages": [message("assistant", "hi")]}], "TS-DATA-041"),
    ([{"messages": [message("user", [{"type": "image", "path": "a.png"}]), message("assistant", "cat")]}], "TS-DATA-042"),
])  # fmt: skip
def test_rows_that_can_not_be_asked_are_told(server, local_step, data, code):
    with pytest.raises(UserError, match=code):
        evaluate(server, local_step(), data)
