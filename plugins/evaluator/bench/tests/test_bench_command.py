"""`tunesmith bench` as a user types it, against a real server with known waits."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from noting_server import NotingServer, serving
from simulated_server import Silent, SimulatedServer
from virtual_clock import run

from tunesmith.errors import TunesmithError
from tunesmith_bench.benchmark import Benchmark, Plan
from tunesmith_bench.commands import main
from tunesmith_bench.results.point import Load
from tunesmith_bench.results.result_file import Measurement
from tunesmith_bench.results.slo import parse_slo
from tunesmith_bench.results.table import rate
from tunesmith_bench.workload.lengths import parse_length
from tunesmith_bench.workload.prompts import Workload
from tunesmith_bench.workload.token_counter import TokenCounter

QUICK = ["--requests", "12", "--output-tokens", "6", "--prompt-tokens", "20", "--warm-up", "6"]


def test_a_sweep_is_printed_saved_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, page = tmp_path / "a.json", tmp_path / "a.html"
    server = NotingServer(first=0.05, between=0.01)
    with serving(server) as url:
        assert main([url, *QUICK, "--concurrency", "1,3", "--slo", "ttft=20s", "--save", str(kept), "--html", str(page)]) == 0
    told = capsys.readouterr()
    assert "tokens counted by the server (usage)" in told.out
    assert "unknown" in told.out  # a p99 of 36 requests
    assert "3 at once, run 3: measured" in told.err
    points = json.loads(kept.read_text())["points"]
    assert [point["load"]["concurrency"] for point in points] == [1, 3]
    for point in points:
        assert 0.05 <= point["figures"]["ttft"]["p50"] < 2.0
        assert 0.009 <= point["figures"]["itl"]["p50"] < 1.0
        assert point["figures"]["goodput"]["mean"] == pytest.approx(point["figures"]["requests_per_second"]["mean"])
    assert {body["max_tokens"] for body in server.bodies[2:]} == {6}
    assert {len(body["messages"][0]["content"].split()) for body in server.bodies[2:]} == {13}  # 20 tokens with the seven around them
    html = page.read_text()
    assert "script" not in html
    assert not re.search(r"(src|href)=", html)  # nothing from elsewhere
    drawings = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html)]
    assert len(drawings) == 5


def test_a_rate_is_looked_for_and_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(NotingServer(first=0.1)) as url:
        assert main([url, *QUICK, "--runs", "1", "--find-rate", "--slo", "ttft=1ms", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["search"]["kept"] == 0.0
    assert all(probe["why"] for probe in found["search"]["probes"])


def test_a_key_comes_from_the_environment_and_goes_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "sk-secret-7")
    files = [tmp_path / "a.json", tmp_path / "a.html"]
    with serving(NotingServer(key="sk-secret-7")) as url:
        options = [*QUICK, "--concurrency", "2", "--runs", "1", "--api-key-env", "ACME_API_KEY"]
        assert main([url, *options, "--save", str(files[0]), "--html", str(files[1])]) == 0
        monkeypatch.setenv("ACME_API_KEY", "sk-wrong-8")
        with pytest.raises(TunesmithError, match="TS-BENCH-010") as raised:
            main([url, *options])
    told = capsys.readouterr()
    everything = "".join([told.out, told.err, str(raised.value), *(file.read_text() for file in files)])
    assert "sk-" not in everything


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--slo", "ttft<1"], "TS-BENCH-001"), (["--find-rate"], "TS-BENCH-001"), (["--prompt-tokens", "gauss:1"], "TS-BENCH-002"),
        (["--prompts", "missing.txt"], "TS-BENCH-003"), (["--tokenizer", "missing"], "TS-BENCH-005"),
        (["--api-key-env", "NOT_SET_ANYWHERE"], "TS-BENCH-006"), (["--save", "missing/a.json"], "TS-BENCH-007"),
        (["--html", "."], "TS-BENCH-007"),
        (["--rate", "1", "--concurrency", "1"], "TS-CLI-006"), (["--rate", "0"], "TS-CLI-006"), ([], "TS-BENCH-010"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_refused_before_anything_is_asked(arguments: list[str], code: str) -> None:
    with pytest.raises(TunesmithError, match=code):
        main(["http://127.0.0.1:9/v1", *arguments])


@pytest.mark.parametrize(("runs", "shown"), [(1, "5.1"), (3, "5.1 ± 0.25")])
def test_one_run_lies_apart_from_nothing(runs: int, shown: str) -> None:
    assert rate({"mean": 5.1, "of_runs": [4.9, 5.4]}, runs) == shown


def saved(path: Path, first: float, seed: int) -> str:
    """A measurement of a simulated server whose first token takes about so long."""
    chance = random.Random(seed)

    async def work() -> Benchmark:
        server = SimulatedServer(first=first, cold=lambda number: chance.uniform(0, 0.1))
        plan = Plan(requests=60, runs=4, slo=parse_slo("ttft=300ms"))
        benchmark = Benchmark(server, Workload(output_tokens=parse_length("6")), TokenCounter(), plan, Silent())
        await benchmark.sweep([Load(concurrency=2)])
        return benchmark

    benchmark = run(work())
    measurement = Measurement({"url": "http://x/v1", "model": "m"}, {"seed": 0}, benchmark.counted_by, benchmark.points)
    path.write_text(json.dumps(measurement.to_json()))
    return str(path)


def test_two_measurements_of_one_server_show_no_difference_and_a_slower_one_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [saved(tmp_path / f"{number}.json", first, number) for number, first in enumerate((0.2, 0.2, 0.5))]
    assert main(["compare", files[0], files[2], "--json"]) == 0
    slower = json.loads(capsys.readouterr().out)
    verdicts = {row["figure"]: row["verdict"] for row in slower["rows"]}
    assert {verdicts[name] for name in ("ttft mean", "ttft p50", "e2e p90", "requests_per_second")} == {"B is worse"}
    assert verdicts["itl p50"] == "no difference shown"
    assert verdicts["ttft p99"] == "unknown"  # 240 requests
    (low, high) = next((row["found"]["low"], row["found"]["high"]) for row in slower["rows"] if row["figure"] == "ttft mean")
    assert low < 0.3 < high
    assert main(["compare", files[2], files[0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"].startswith("B is better in")
    assert main(["compare", files[0], files[1]]) == 0
    assert "no difference shown: in" in capsys.readouterr().out
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(TunesmithError, match="TS-BENCH-004"):
        main(["compare", files[0], str(tmp_path / "other.json")])


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    kept = tmp_path / "a.json"
    code = "import sys; from tunesmith_bench.commands import main; sys.exit(main(sys.argv[1:]))"
    with serving(NotingServer(first=0.05)) as url:
        command = [sys.executable, "-c", code, url, "--requests", "100000", "--concurrency", "2", "--warm-up", "5", "--save", str(kept)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
            assert any("measured" in line for line in process.stderr)
            time.sleep(1.0)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "Interrupted" in out
    found = json.loads(kept.read_text())
    assert found["interrupted"]
    assert found["points"][0]["figures"]["requests"] > 0
