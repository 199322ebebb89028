"""Metrics of answers, held against the libraries that define them."""

import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu, corpus_chrf

from tunesmith_generation.metrics.catalog import metrics
from tunesmith_generation.settings import METRICS, GenerationSettings

ANSWERS = ["The quick brown fox jumps.", "a lazy dog, over_there", "It's 3 o'clock now", "nothing", "same as it was", "B"]
EXPECTED = ["A quick brown fox jumped", "the lazy dog over there", "it is 3 o'clock", "something else", "same as it was", "b"]


def figure(name, **settings):
    metric = metrics(GenerationSettings(metrics=[name], **settings))[name]
    return metric.figure(ANSWERS, EXPECTED, [metric.score(*pair, False) for pair in zip(ANSWERS, EXPECTED, strict=True)])


@pytest.mark.parametrize("name", ["rouge1", "rouge2", "rougeL"])
def test_rouge_is_that_of_rouge_score(name):
    scorer = RougeScorer([name])
    theirs = [scorer.score(right, said)[name].fmeasure for said, right in zip(ANSWERS, EXPECTED, strict=True)]
    assert figure(name).value == pytest.approx(sum(theirs) / 6)


@pytest.mark.parametrize(("name", "theirs"), [("bleu", corpus_bleu), ("chrf", corpus_chrf)])
def test_bleu_and_chrf_are_those_of_sacrebleu(name, theirs):
    found = figure(name)
    assert found.value == pytest.approx(theirs(ANSWERS, [EXPECTED]).score)
    assert found.low < found.value < found.high


def test_words_of_other_scripts_count():
    rouge = metrics(GenerationSettings(metrics=["rouge1"]))["rouge1"]
    assert rouge.score("巴黎是首都", "首都是巴黎", False) == 1.0
    assert rouge.score("über Größe", "größe ÜBER", False) == 1.0
    assert rouge.score("东京", "巴黎", False) == 0.0


@pytest.mark.parametrize(("name", "answer", "expected", "said"), [
    ("exact_match", "Par", "Paris", None), ("exact_match", "", "Paris", None), ("exact_match", "London is", "Paris", False),
    ("exact_match", "Paris is the", "Paris", False), ("contains", "It is Paris, and", "Paris", True), 
    ("contains", "It is Par", "Par", None),
    ("contains", "It is", "Paris", None), ("regex", "7", "7", None), ("json_schema", '{"a": 1', "", None), ("rougeL", "a b", "a b c", None),
    ("bleu", "a b", "a b c", None),
])  # fmt: skip
def test_a_cut_answer_is_told_only_where_what_follows_can_t_change_it(name, answer, expected, said):
    assert metrics(GenerationSettings(metrics=[name], pattern=r"\d"))[name].score(answer, expected, True) is said


@pytest.mark.parametrize(("answer", "fits"), [
    ('{"a": 1}', True), ('Here:\n```json\n{"a": 2}\n```', True), ('{"a": "x"}', False), ("{'a': 1}", False),
    ('{"a": NaN}', False), ("", False),
])  # fmt: skip
def test_json_fits_its_schema(answer, fits):
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}}
    assert metrics(GenerationSettings(metrics=["json_schema"], schema=schema))["json_schema"].score(answer, "", False) is fits


def test_every_metric_is_there():
    assert list(metrics(GenerationSettings(metrics=list(METRICS)))) == list(METRICS)
