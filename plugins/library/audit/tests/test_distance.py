"""Figures of what two models say, from their log-probabilities alone."""

import pytest


def test_a_beginning_that_conversations_share_counts_once():
    import torch

    from tunesmith_audit.bounds import output_bounds
    from tunesmith_audit.outputs.distance import distance

    torch.manual_seed(0)
    rows = [[1, 2, 3, 4], [1, 2, 3, 5, 6], [1, 2]]
    before = [torch.randn(4, 8).log_softmax(-1), torch.randn(5, 8).log_softmax(-1), torch.randn(2, 8).log_softmax(-1)]
    after = [torch.cat([-before[0][:3], before[0][3:]]).log_softmax(-1), *before[1:]]
    figures = distance(before, after, rows, output_bounds(16)).figures
    alone = distance(before[:1], after[:1], rows[:1], output_bounds(16)).figures
    assert figures["tokens"] == 6
    assert figures["kl"] * 6 == pytest.approx(alone["kl"] * 4)


@pytest.mark.parametrize(("apart", "divergence"), [(1e-8, "0.0"), (float("nan"), "nan")])
def test_noise_of_sums_is_no_divergence_and_what_is_no_number_stays_one_that_is_refused(apart, divergence):
    import torch

    from tunesmith_audit.bounds import output_bounds
    from tunesmith_audit.outputs.distance import distance

    said = [torch.full((2, 8), 1 / 8, dtype=torch.float64).log()]
    found = distance(said, [said[0] + apart], [[1, 2]], output_bounds(16))
    assert (str(found.figures["kl"]), found.ok) == (divergence, divergence == "0.0")


def test_intervals_hold_the_figure_and_are_the_same_again():
    from tunesmith_audit.outputs.figures import summarized

    rows = [[10, 0.1 * at, 8, 8 - at % 2, 9, 20.0, 20.0 + at] for at in range(12)]
    found = summarized(rows)
    for name, (low, high) in found["intervals"].items():
        assert low < found[name] < high
    assert summarized(rows) == found
    assert "intervals" not in summarized(rows[:3])
