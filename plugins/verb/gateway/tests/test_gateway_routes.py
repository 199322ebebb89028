"""Shares of versions are exact, servers of one version are used evenly, and what can't be reached is passed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tunesmith_gateway.routing.model_routes import Route, Routes, Version, Window
from tunesmith_gateway.routing.upstream import Upstream


def version(name: str, count: int = 1, share: float = 1.0) -> Version:
    return Version(name, [Upstream(f"{name}{index}", lambda: ("http://h/v1", "m")) for index in range(count)], share)


def chosen(route: Route, times: int) -> list[str]:
    return [found[0].name for _ in range(times) if (found := route.choose())]


@given(percent=st.integers(1, 100), times=st.integers(100, 400))
def test_a_version_gets_its_share_and_not_one_request_more(percent: int, times: int) -> None:
    old, new = version("old"), version("new")
    route = Route("m", [old, new])
    route.shares(new, percent / 100)
    assert abs(chosen(route, times).count("new") - times * percent / 100) <= 1


def test_a_version_of_no_share_gets_nothing_and_one_that_is_down_is_passed_over() -> None:
    old, new = version("old"), version("new")
    route = Route("m", [old, new])
    route.shares(new, 0.0)
    assert set(chosen(route, 50)) == {"old"}
    route.shares(new, 0.5)
    new.upstreams[0].failed("it is gone")
    assert set(chosen(route, 50)) == {"old"}
    old.upstreams[0].failed("it is gone, too")
    assert route.choose() is None


def test_servers_of_one_version_take_the_next_request_where_fewest_run() -> None:
    route = Route("m", [version("one", 3)])
    for upstream, running in zip(route.versions[0].upstreams, (2, 0, 1), strict=True):
        upstream.running = running
    assert route.choose()[1].name == "one1"  # type: ignore[index]
    tried = [route.versions[0].upstreams[1]]
    assert route.choose(tried)[1].name == "one2"  # type: ignore[index]


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300))
def test_the_99th_percentile_is_an_answer_s_time_that_99_of_100_do_not_exceed(seconds: list[float]) -> None:
    window = Window()
    for one in seconds:
        window.add(one, False)
    assert window.p99 in seconds
    assert sum(one <= window.p99 for one in seconds) >= 0.99 * len(seconds)
    assert window.error_rate == 0
    window.add(0.0, True)
    assert window.error_rate == 1 / (len(seconds) + 1)


def test_a_run_that_answers_for_another_model_is_known_by_its_address() -> None:
    old, alone = version("old"), Version("alone", [Upstream("alone", lambda: ("http://h:2/v1", "m"))])
    bot, second, third = Route("bot", [old]), Route("second", [version("same")]), Route("third", [alone])
    routes = Routes({route.name: route for route in (bot, second, third)})
    assert routes.also_at(old, bot) == ["second"]
    assert routes.also_at(alone, third) == []
