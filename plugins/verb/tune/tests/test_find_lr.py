"""The learning rate that a range test suggests, from curves of which it is known; and which step is tested."""

from __future__ import annotations

import math
from random import Random

import pytest

from tunesmith_cli.api import main
from tunesmith_tune.find_lr.page import page_of
from tunesmith_tune.find_lr.suggestion import has_diverged, suggestion

RATES = [1e-6 * 10 ** (5 * step / 99) for step in range(100)]


def curve(fall: float, rise: float, noise: float = 0.0) -> list[float]:
    """Losses that fall around the rate `fall` and rise from `rise` on."""
    random = Random(1)
    losses = []
    for rate in RATES:
        learnt = 2 / (1 + math.exp(-4 * (math.log10(rate) - math.log10(fall))))
        losses.append(4 - learnt + max(0.0, 20 * (math.log10(rate) - math.log10(rise))) + random.gauss(0, noise))
    return losses


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lr-steps", "0"], "--lr-steps 0 are too few"), (["--metric", "tune.loss"], "--metric is of a search"),
        (["--budget", "4h"], "--budget is of a search"), (["--searcher-set", "r=1"], "--searcher-set is of a search"),
    ],
)  # fmt: skip
def test_options_that_would_have_no_effect_are_refused(words: list[str], told: str, capsys: pytest.CaptureFixture[str]):
    assert main(["tune", "--find-lr", "tune", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("fall", [1e-4, 1e-3])
def test_it_is_where_the_loss_falls_fastest_within_what_smoothing_delays(fall: float, noise: float):
    found = suggestion(RATES, curve(fall, 3e-2, noise))
    assert fall / 2 < found.rate < 4 * fall
    assert found.rate < found.least < found.too_high


def test_where_nothing_falls_nothing_is_suggested():
    assert suggestion(RATES, [4.0 + 0.01 * step for step in range(100)]).rate is None
    assert suggestion(RATES[:5], [4.0, 3.0, 2.0, 1.0, 0.5]) is None


def test_it_ends_where_the_loss_goes_through_the_roof():
    losses = curve(1e-4, 1e-3)
    ended = next(step for step in range(1, 100) if has_diverged(losses[:step]))
    assert 1e-3 < RATES[ended] < 3e-2
    assert has_diverged([4.0, math.nan])


def test_its_page_draws_the_curve_and_marks_the_rate():
    losses = curve(1e-4, 1e-2)
    page = page_of("tune", list(zip(RATES, losses, strict=True)), suggestion(RATES, losses))
    assert page.count("<path") == 2
    assert 'class="mark"' in page
    assert "the loss falls fastest" in page
