"""The oracles are scikit-learn and seqeval."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from seqeval.metrics import f1_score as seqeval_f1
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, ndcg_score, precision_recall_fscore_support

from tunesmith_scores.class_metrics import ClassMetrics, f1
from tunesmith_scores.entity_spans import is_scheme, spans
from tunesmith_scores.number_metrics import number_metrics
from tunesmith_scores.process_reward_accuracy import first_wrong
from tunesmith_scores.ranking_metrics import ranking_metrics

CLASSES = 4
LABELS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=40)
TAGS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "S-LOC", "E-PER"]), min_size=1, max_size=12)


@settings(deadline=None)
@given(LABELS)
def test_classes_are_counted_as_scikit_learn_does(pairs):
    wanted, found = zip(*pairs, strict=True)
    mine = ClassMetrics.of(wanted, found, CLASSES)
    assert mine.accuracy == pytest.approx(accuracy_score(wanted, found))
    assert mine.macro_f1 == pytest.approx(f1_score(wanted, found, average="macro", zero_division=0))
    assert numpy.array_equal(mine.matrix, confusion_matrix(wanted, found, labels=range(CLASSES)))
    theirs = precision_recall_fscore_support(wanted, found, labels=range(CLASSES), zero_division=0)
    assert numpy.allclose([mine.precision_recall_f1(at) for at in range(CLASSES)], numpy.array(theirs[:3]).T)
    assert mine.lowest_f1 == pytest.approx(min(theirs[2][at] for at in range(CLASSES) if theirs[3][at]))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=20))
def test_numbers_are_compared_as_scipy_does(pairs):
    wanted, found = ([float(value) for value in side] for side in zip(*pairs, strict=True))
    mine = number_metrics(wanted, found)
    assert mine["mse"] == pytest.approx(numpy.mean((numpy.array(wanted) - numpy.array(found)) ** 2))
    if len(set(wanted)) > 1 and len(set(found)) > 1:
        assert mine["pearson"] == pytest.approx(pearsonr(wanted, found).statistic, abs=1e-9)
        assert mine["spearman"] == pytest.approx(spearmanr(wanted, found).statistic, abs=1e-9)
    else:
        assert "pearson" not in mine


@settings(deadline=None)
@given(TAGS)
def test_entities_are_those_of_seqeval(tags):
    assert spans(tags) == set(get_entities(tags))


@settings(deadline=None)
@given(st.lists(st.tuples(TAGS, TAGS).filter(lambda pair: len(pair[0]) == len(pair[1])), min_size=1, max_size=4))
def test_their_f1_is_that_of_seqeval(pairs):
    wanted, found = [list(one) for one, _ in pairs], [list(other) for _, other in pairs]
    counted = [(spans(one), spans(other)) for one, other in pairs]
    mine = f1(*(sum(map(len, parts)) for parts in ([a & b for a, b in counted], [a for a, _ in counted], [b for _, b in counted])))
    if any(a or b for a, b in counted):
        assert mine == pytest.approx(seqeval_f1(wanted, found, zero_division=0))


@pytest.mark.parametrize(
    ("labels", "found"), [(["O", "B-PER", "I-PER"], True), (["NOUN", "VERB"], False), (["O"], False), (["B-", "O"], False)]
)
def test_which_classes_are_tags_of_entities(labels, found):
    assert is_scheme(labels) is found


@settings(deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=12, max_size=12).filter(any), min_size=1, max_size=5))
def test_ranks_are_judged_as_scikit_learn_does(ranks):
    relevant = [sum(hits) for hits in ranks]
    found = ranking_metrics(ranks, relevant)
    by_place = numpy.tile(numpy.arange(12, 0, -1), (len(ranks), 1))
    assert found["ndcg@10"] == pytest.approx(ndcg_score(numpy.array(ranks, float), by_place, k=10))
    assert found["recall@5"] == pytest.approx(numpy.mean([sum(hits[:5]) / sum(hits) for hits in ranks]))
    first = [hits.index(True) + 1 for hits in ranks]
    assert found["mrr@10"] == pytest.approx(numpy.mean([1 / place if place <= 10 else 0 for place in first]))


@pytest.mark.parametrize(("right", "found"), [([True, True], -1), ([True, False, False], 1), ([False], 0)])
def test_the_first_wrong_step(right, found):
    assert first_wrong(right) == found
