"""Ranks that wait for each other for ever end, with their stacks; ranks that only take long do not."""

from __future__ import annotations

import re
import time

import pytest
from tiny_plans import Place, step


@pytest.fixture
def hasty(place: Place) -> Place:
    place.hang_timeout = 1.5
    return place


def test_a_rank_that_is_stopped_is_named_with_where_it_was(hasty: Place) -> None:
    started = time.monotonic()
    outcome = hasty.run(step("a", "ranks", processes=3, fail="1:stop"))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-026")
    assert "Rank 1 of `a` was stopped" in outcome.error.what
    assert re.search(r"Rank 1 .*fail \(tiny_verbs\.py:\d+\)", outcome.error.why)
    assert time.monotonic() - started < 20  # the others would have waited for 60
    stacks = outcome.error.facts["stacks"]
    assert set(stacks) == {"rank 0", "rank 1", "rank 2"}
    assert all("in ranks" in text for text in stacks.values())


def test_ranks_that_all_wait_end_with_the_stacks_of_all(hasty: Place) -> None:
    outcome = hasty.run(step("a", "late", processes=3, fail="2:sleeps"))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-027")
    assert re.search(r"Rank 0 had waiting at 0 of 2 and is in late \(tiny_verbs\.py:\d+\)", outcome.error.why)
    assert re.search(r"Rank 2 is in _busy_with \(tiny_verbs\.py:\d+\)", outcome.error.why)


@pytest.mark.parametrize("how", ["computes", "reports", "writes"])
def test_a_rank_that_is_late_for_a_reason_is_waited_for(hasty: Place, how: str) -> None:
    assert hasty.run(step("a", "late", processes=2, fail=f"1:{how}")).state == "done"


def test_with_a_timeout_of_zero_ranks_may_wait_for_ever(hasty: Place) -> None:
    hasty.hang_timeout = 0
    assert hasty.run(step("a", "late", processes=2, fail="1:sleeps")).state == "done"


def test_of_a_rank_that_fails_the_others_places_are_told(place: Place) -> None:
    outcome = place.run(step("a", "ranks", processes=2, fail="1:kill"))
    assert outcome.error.code == "TS-RUN-013"
    assert re.search(r"Rank 0 is in ranks \(tiny_verbs\.py:\d+\)", outcome.error.why)
