"""EvalScope itself, in its environment, by real runs over a fake endpoint that says what a test tells it to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import tunesmith as ts

pytestmark = [pytest.mark.slow, pytest.mark.isolated, pytest.mark.timeout(1800)]
LONG, LOST = "a question without end", "a question that is refused"
ROWS = [
    *({"question": f"question {at}", "choices": ["yes", "no", "never"], "answer": at % 3} for at in range(12)),
    {"question": LONG, "choices": ["yes", "no"], "answer": 0}, {"question": LOST, "choices": ["yes", "no"], "answer": 0},
]  # fmt: skip


@pytest.fixture
def fake():
    """Answers B to each question with choices, 12 where sums are asked; cuts one off, refuses another. Says how often it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            """Silent."""

        def do_GET(self):
            self._send(200, {"object": "list", "data": [{"id": "fake", "object": "model"}]})

        def do_POST(self):
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = str(told["messages"][-1]["content"])
            asked.append(text)
            if LOST in text:
                return self._send(400, {"error": {"message": "no such luck", "code": "invalid_prompt"}})
            answer = "It is \\boxed{12}." if "boxed" in text else "ANSWER: B"
            choice = {
                "index": 0,
                "finish_reason": "length" if LONG in text else "stop",
                "message": {"role": "assistant", "content": answer},
            }
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            self._send(200, {"id": "1", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice], "usage": usage})

        def _send(self, status, told):
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    server.shutdown()
    server.server_close()


def test_rows_of_ours_and_a_benchmark_by_name_are_scored_by_evalscope_and_what_has_no_answer_is_counted(tmp_path, fake, tiny_model):
    url, asked = fake
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    sums = [{"instruction": f"What is {at} + 5?", "output": f"{at} + 5 is so. #### {at + 5}"} for at in range(6, 9)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sums))
    api = {"serve": {"remote": {"url": url, "model": "fake"}}}
    steps = {
        "api": api,
        "choices": {"evaluate": {"evalscope": {"max_not_scored": 0.2}}, "from": "api", "data": "questions.jsonl"},
        "sums": {"evaluate": {"evalscope": {"benchmark": "gsm8k"}}, "from": "api", "data": "sums.jsonl"},
        "strict": {"evaluate": "evalscope", "from": "api", "data": "questions.jsonl"},
    }
    programs = {"api": api, "none": {"evaluate": {"evalscope": {"benchmark": "humaneval"}}, "from": "api", "data": "sums.jsonl"}}
    model = f"file://{tiny_model()}"
    done, refused = (ts.Pipeline(model=model, steps=some, base=tmp_path, home=tmp_path / "home").run().steps for some in (steps, programs))
    found = done["choices"].metrics
    assert (found["scored"], found["truncated"], found["failed"]) == (12, 1, 1)
    assert found["accuracy"] == pytest.approx(1 / 3)
    samples = [json.loads(line) for line in (done["choices"].artifact.path / "samples.jsonl").read_text().splitlines()]
    assert [sample.get("right") for sample in samples[:3]] == [False, True, False]
    assert done["strict"].error.code == "TS-EVAL-001"
    assert done["sums"].metrics["accuracy"] == pytest.approx(1 / 3)
    assert refused["none"].error.code == "TS-EVAL-012"
    assert len(asked) >= 2 * len(ROWS) + len(sums)
