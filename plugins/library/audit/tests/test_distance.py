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


@pytest.mark.parametrize(("apart", "refused"), [(0.02, False), (0.3, True)], ids=["noise", "more"])
def test_the_perplexity_is_refused_beyond_its_noise(apart, refused):
    """Twelve conversations of eight tokens, of which each is told a little worse or better, by chance; in the other case, all are worse."""
    import torch

    from tunesmith_audit.bounds import output_bounds
    from tunesmith_audit.outputs.distance import distance

    torch.manual_seed(2)
    ids = torch.randint(0, 8, (12, 9)).tolist()
    ids = [[number, *row] for number, row in enumerate(ids)]
    before, after = [], []
    for row in ids:
        said = torch.zeros(10, 16, dtype=torch.float64)
        before.append(said.log_softmax(-1))
        told = said.clone()
        for at, token in enumerate(row[1:]):
            told[at, token] -= 0.2 * float(torch.randn(())) + apart
        after.append(told.log_softmax(-1))
    found = distance(before, after, ids, output_bounds(16))
    low, high = found.figures["intervals"]["perplexity_ratio"]
    assert found.figures["perplexity_ratio"] > 1.02
    assert (low > 1.02) == refused == (not found.ok), (low, high)
