"""The measured figures against a server whose times are known, in virtual time: nothing here depends on the machine."""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics

import pytest
from simulated_server import Silent, SimulatedServer
from virtual_clock import run

from tunesmith.errors import TunesmithError
from tunesmith_bench.benchmark import Benchmark, Plan
from tunesmith_bench.load.arrivals import constant, poisson
from tunesmith_bench.load.record import AFTER, MEASURED, WARM_UP, Record
from tunesmith_bench.load.run import Driver, Run
from tunesmith_bench.load.warm_up import WarmUp
from tunesmith_bench.rate_search import find_rate
from tunesmith_bench.results.comparison import summary
from tunesmith_bench.results.found_rate import RateSearch
from tunesmith_bench.results.point import Load, Point
from tunesmith_bench.results.slo import parse_slo
from tunesmith_bench.results.table import doubt_lines, point_rows, search_line
from tunesmith_bench.workload.lengths import parse_length
from tunesmith_bench.workload.prompts import Workload
from tunesmith_bench.workload.token_counter import TokenCounter


def measured(server_settings: dict, loads: list[Load], *, slo: str = "", tokens: str = "21", **plan) -> tuple[list[Point], SimulatedServer]:
    async def work():
        server = SimulatedServer(**server_settings)
        workload = Workload(output_tokens=parse_length(tokens))
        benchmark = Benchmark(server, workload, TokenCounter(), Plan(**{"requests": 100, "slo": parse_slo(slo), **plan}), Silent())
        await benchmark.sweep(loads)
        return benchmark.points, server

    return run(work())


def marks(point: Point) -> set[str]:
    return {mark.name for mark in point.marks}


@pytest.mark.parametrize("together", [1, 4])
def test_a_closed_loop_measures_what_the_server_does_whatever_its_pieces_hold(together: int) -> None:
    (point,), _ = measured({"together": together}, [Load(concurrency=8)])
    figures = point.figures
    assert figures["ttft"]["p50"] == pytest.approx(0.2)
    assert figures["itl"]["p99"] == pytest.approx(0.05)  # of tokens, not of pieces
    assert figures["stall"]["p50"] == pytest.approx(0.05 * together)
    assert figures["e2e"]["p95"] == pytest.approx(0.2 + 20 * 0.05)
    assert figures["output_tokens_per_second"]["mean"] == pytest.approx(8 * 21 / 1.2, rel=0.05)
    assert figures["requests_per_second"]["mean"] == pytest.approx(8 / 1.2, rel=0.05)
    assert figures["requests"] == 300
    assert not marks(point)


def test_an_open_loop_counts_from_the_intended_arrival_so_the_queue_is_in_the_latency() -> None:
    """A server with one place that takes 0.5 s, at 1.6 arrivals a second: M/D/1, whose mean wait is rho s / (2 (1 - rho)) (Pollaczek and
    Khinchine). A sender that waits for answers before it sends would see none of it."""
    (point,), _ = measured({"places": 1, "first": 0.1, "between": 0.02}, [Load(rate=1.6)], requests=2000)
    wait = 0.8 * 0.5 / (2 * 0.2)
    assert point.figures["ttft"]["mean"] == pytest.approx(0.1 + wait, rel=0.15)
    assert point.figures["requests_per_second"]["mean"] == pytest.approx(1.6, rel=0.05)
    assert "queue-bound" not in marks(point)


def test_more_arrivals_than_a_server_can_answer_are_marked() -> None:
    (point,), _ = measured({"places": 2, "first": 0.5, "between": 0.0}, [Load(rate=6.0)])
    assert "queue-bound" in marks(point)
    assert "not stationary" in marks(point)
    assert point.figures["requests_per_second"]["mean"] == pytest.approx(4.0, rel=0.05)


def test_a_closed_loop_beyond_the_places_is_marked_as_bound_by_its_queue() -> None:
    points, _ = measured({"places": 4}, [Load(concurrency=2), Load(concurrency=4), Load(concurrency=16)])
    assert [("queue-bound" in marks(point)) for point in points] == [False, False, True]


def test_what_a_cold_server_does_at_first_is_not_measured() -> None:
    warm = {"cold": lambda number: max(0.0, 2.0 - 0.05 * number)}
    (point,), _ = measured(warm, [Load(concurrency=4)])
    assert point.figures["ttft"]["p99"] == pytest.approx(0.2)
    assert not marks(point)
    assert point.runs[0].warm_up >= 30


def test_a_server_that_goes_on_slowing_down_is_marked_and_still_measured() -> None:
    (point,), _ = measured({"cold": lambda number: 0.01 * number}, [Load(concurrency=4)], runs=3)
    assert "not stationary" in marks(point)
    assert point.figures["requests"] == 300


def test_load_goes_on_until_the_last_measured_answer() -> None:
    async def work():
        server = SimulatedServer()
        requests = Workload(output_tokens=parse_length("21")).requests(
            0, Benchmark(server, Workload(), TokenCounter(), Plan(), Silent())._scale
        )
        driver = Driver(server, requests, 50, WarmUp(8), Run())
        return await driver.closed(8)

    found = run(work())
    phases = [record.phase for record in found.records]
    assert phases == sorted(phases, key=[WARM_UP, MEASURED, AFTER].index)
    assert phases.count(MEASURED) == len(found.measured) == 50
    for at in (found.began + 0.01, (found.began + found.ended) / 2, found.ended - 0.01):
        assert sum(r.intended <= at and not 0 < r.ended <= at for r in found.records) == 8  # all places are taken all the time


class Stubborn:
    """A transport in which the first cancellation gets lost, as in `asyncio.wait_for` before Python 3.12."""

    async def send(self, request, record: Record) -> None:
        try:
            await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            record.error = "went on"


@pytest.mark.parametrize("load", [Load(concurrency=3), Load(rate=20.0)], ids=str)
def test_a_run_ends_though_a_cancellation_gets_lost(load: Load) -> None:
    async def work():
        benchmark = Benchmark(Stubborn(), Workload(output_tokens=parse_length("3")), TokenCounter(), Plan(requests=10, runs=1), Silent())
        with pytest.raises(TunesmithError, match="TS-BENCH-010"):
            await benchmark.sweep([load])

    run(work())


def test_a_server_that_dies_before_it_is_warm_ends_the_run() -> None:
    with pytest.raises(TunesmithError, match="TS-BENCH-010"):
        measured({"failing": 1.0}, [Load(concurrency=2)])


def test_littles_law_holds_in_the_measured_part() -> None:
    (point,), _ = measured({"places": 4, "first": 0.3, "between": 0.01}, [Load(concurrency=12)], requests=400, tokens="21")
    (rate, wait) = point.figures["requests_per_second"]["mean"], point.figures["e2e"]["mean"]
    assert rate * wait == pytest.approx(12, rel=0.05)


def test_failures_are_counted_and_never_enter_latencies() -> None:
    (point,), _ = measured({"failing": 0.2}, [Load(concurrency=8)])
    failed = point.figures["failed"]
    assert 30 < failed < 90
    assert point.figures["ttft"]["count"] == 300 - failed
    assert point.figures["ttft"]["mean"] == pytest.approx(0.2)
    assert "failures" in marks(point)
    assert point.runs[0].errors == {"HTTP 500: by chance": point.runs[0].failed}


def test_without_usage_and_tokenizer_tokens_are_unknown_not_guessed() -> None:
    (point,), _ = measured({"counts": False}, [Load(concurrency=2)], slo="ttft=1s,itl=1s")
    assert point.figures["output_tokens_per_second"]["mean"] is None
    assert point.figures["itl"]["count"] == 0
    assert point.figures["goodput"]["mean"] == 0  # a bound on what nobody counted is kept by nobody
    assert "tokens unknown" in marks(point)


def test_a_p99_of_too_few_requests_is_unknown() -> None:
    (point,), _ = measured({}, [Load(concurrency=2)], requests=30, runs=3)
    assert point.figures["ttft"]["p95"] is not None
    assert point.figures["ttft"]["p99"] is None


def test_goodput_counts_the_requests_that_keep_every_bound() -> None:
    points, _ = measured({"first": 0.2}, [Load(concurrency=4)], slo="ttft=300ms,itl=60ms")
    assert points[0].figures["goodput"]["mean"] == pytest.approx(points[0].figures["requests_per_second"]["mean"])
    points, _ = measured({"first": 0.2}, [Load(concurrency=4)], slo="ttft=300ms,itl=40ms")
    assert points[0].figures["goodput"]["mean"] == 0


def test_the_highest_rate_is_found_by_bisection() -> None:
    """Two places of 0.5 s: what keeps a first token within 1.5 s in 95 of 100 cases lies below the 4 requests a second that it can do."""

    async def work():
        server = SimulatedServer(places=2, first=0.5, between=0.0)
        workload = Workload(output_tokens=parse_length("1"))
        plan = Plan(requests=400, slo=parse_slo("ttft=1500ms", 0.95))
        return await find_rate(Benchmark(server, workload, TokenCounter(), plan, Silent()))

    found = run(work())
    assert 2.0 < found.kept < found.broken <= found.kept * 1.05 < 4.2
    assert found.goodput == pytest.approx(found.kept, rel=0.1)
    broken = [probe for probe in found.probes if not probe["kept"]]
    assert all(probe["why"] for probe in broken)
    assert {probe["kept"] for probe in found.probes if probe["rate"] <= found.kept} == {True}
    assert found.probes[0]["rate"] == pytest.approx(2.0, rel=0.05)  # one at a time


def test_a_rate_that_nothing_keeps_is_said_so() -> None:
    async def work():
        plan = Plan(requests=50, slo=parse_slo("ttft=10ms"))
        return await find_rate(Benchmark(SimulatedServer(), Workload(output_tokens=parse_length("1")), TokenCounter(), plan, Silent()))

    found = run(work())
    assert (found.kept, found.goodput, len(found.probes)) == (0.0, None, 1)
    assert found.probes[0]["why"].startswith("one at a time")


def test_what_was_measured_before_an_interrupt_is_kept() -> None:
    async def work():
        benchmark = Benchmark(SimulatedServer(), Workload(output_tokens=parse_length("21")), TokenCounter(), Plan(), Silent())
        task = asyncio.ensure_future(benchmark.sweep([Load(concurrency=2), Load(concurrency=4)]))
        await asyncio.sleep(280)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return benchmark.points

    first, second = run(work())
    assert (first.figures["requests"], "few runs" in marks(first)) == (300, False)
    assert 0 < second.figures["requests"] < 300
    assert "few runs" in marks(second)


class Late:
    """A server whose client is held up: each request leaves 50 ms after it should."""

    async def send(self, request, record: Record) -> None:
        record.sent += 0.05
        await SimulatedServer().send(request, record)


def test_a_sender_that_is_late_is_marked() -> None:
    async def work():
        benchmark = Benchmark(Late(), Workload(output_tokens=parse_length("3")), TokenCounter(), Plan(), Silent())
        return await benchmark.measure(Load(concurrency=2))

    assert "client-bound" in marks(run(work()))


def test_poisson_arrivals_are_exponential_and_seeded() -> None:
    first = list(itertools.islice(poisson(4.0, 7), 20_000))
    gaps = [after - before for before, after in itertools.pairwise([0.0, *first])]
    assert statistics.mean(gaps) == pytest.approx(0.25, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(0.25, rel=0.05)  # of an exponential distribution both are the same
    assert first == list(itertools.islice(poisson(4.0, 7), 20_000))
    assert list(itertools.islice(constant(4.0), 3)) == [0.25, 0.5, 0.75]


def test_warm_up_has_a_ceiling() -> None:
    warm_up = WarmUp(4)
    chance = random.Random(0)
    for number in range(1000):
        record = Record(float(number), WARM_UP, pieces=[number + 1.0 + 0.1 * number + 0.01 * chance.random()], ended=1.0)
        warm_up.add(record)
    assert (warm_up.over, warm_up.stationary, len(warm_up.seen)) == (True, False, warm_up.most)


def test_what_a_reader_is_told_is_in_the_readers_language_and_what_programs_read_is_not(monkeypatch) -> None:
    (point,), _ = measured({}, [Load(concurrency=2)], requests=10, runs=2)
    assert "few runs" in marks(point)
    english = doubt_lines([point])
    monkeypatch.setenv("TUNESMITH_LANG", "zh")
    assert point_rows([point])[0][:2] == ["负载", "请求"]
    assert point_rows([point])[1][0] == "同时 2 个"
    assert doubt_lines([point]) == ["同时 2 个：运行太少：至少需 3 次运行，只有 2 次，共 20 个请求"] != english
    assert summary([]).startswith("unknown"), "it stands in --json, too"
    assert search_line(RateSearch(2.0, 4.0, None, [])) == "每秒 2 个请求能达标；4 个不能。"
