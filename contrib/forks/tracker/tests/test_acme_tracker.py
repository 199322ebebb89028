from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytestmark = pytest.mark.slow

PIPELINE = "name: describe\nmodel: file://model\nsteps:\n  card: {export: model-card, from: model}\n"


@pytest.fixture
def tracker():
    """A tracker that keeps what it is told; its address and that."""
    told: list[dict] = []

    class Tracker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Tracker)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", told
    server.shutdown()
    server.server_close()


def test_the_tracker_is_told_what_the_runs_own_file_says(house, tracker):
    url, told = tracker
    place = house("tracker", pipeline=PIPELINE)
    place.tunesmith("run", ACME_TRACKER_URL=url, no_proxy="127.0.0.1")
    (file,) = (place.folder / ".tunesmith" / "runs").rglob("events.jsonl")
    assert [json.loads(line) for line in file.read_text().splitlines()] == told
    ours = [event["event"] for event in told if event.get("step") == "card"]
    assert ours == ["step_starting", "artifact_committed", "step_finished"]
    assert told[0]["event"] == "run_started"
    starting = next(event for event in told if event["event"] == "step_starting" and event["step"] == "card")
    fetched = next(event for event in told if event["event"] == "artifact_committed" and event["step"] != "card")
    assert starting["inputs"] == {"model": fetched["digest"]}


def test_a_tracker_that_is_down_takes_no_run_with_it(house):
    place = house("tracker", pipeline=PIPELINE)
    told = place.tunesmith("run", ACME_TRACKER_URL="http://127.0.0.1:9/", no_proxy="127.0.0.1")
    assert "acme-tracker failed in" in told
