"""The objectives `classify` and `classify-tokens`: what they take from rows, which classes there are, and what they make of scores."""

from __future__ import annotations

import math

import pytest
import torch

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_classify.asks import parts
from tunesmith_classify.classes import Classes
from tunesmith_classify.settings import ClassifySettings, TextSettings
from tunesmith_classify.texts import TextClassifier
from tunesmith_classify.words import WordClassifier
from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_torch.api import LAST, Group, MicroBatch, TokenSequence
from tunesmith_torch.api.text import ChatTokenizer

SETTINGS = TextSettings(["negative", "positive"])
NUMBERS = TextSettings(problem_type="regression")
TOPICS = TextSettings(["price", "delivery", "quality"], problem_type="multi_label_classification")
TAGS = ClassifySettings(["O", "PLACE"])


@pytest.fixture(scope="module")
def chat():
    return ChatTokenizer(tiny_tokenizer())


def test_a_text_has_its_class_at_its_end(chat):
    group = TextClassifier(SETTINGS).encode({"text": "It broke.", "label": "negative"}, chat)
    (sequence,) = group.sequences
    assert list(sequence.tokens) == chat.tokenizer("It broke.")["input_ids"]
    assert (tuple(sequence.places), any(sequence.labels), group.facts) == ((LAST,), False, {"classes": [0]})


def test_a_conversation_is_written_by_the_template(chat):
    turns = [message("user", "It works.")]
    group = TextClassifier(SETTINGS).encode({"messages": turns, "label": "positive"}, chat)
    assert list(group.sequences[0].tokens) == list(chat.encode(turns).tokens)
    assert group.facts == {"classes": [1]}


def test_a_number_is_learnt_as_transformers_learns_it(chat):
    from types import SimpleNamespace

    from transformers.loss.loss_utils import ForSequenceClassificationLoss

    objective = TextClassifier(NUMBERS)
    groups = [objective.encode({"text": text, "label": label}, chat) for text, label in (("It broke.", 1), ("Fine.", 4.5))]
    scores = torch.tensor([[0.5], [3.0]], dtype=torch.float64)
    batch = MicroBatch(groups, places=(1, 1), scores={"score": scores})
    config = SimpleNamespace(num_labels=1, problem_type="regression")
    wanted = ForSequenceClassificationLoss(torch.tensor([1.0, 4.5], dtype=torch.float64), scores, config)
    found = objective.loss(batch)
    assert float(found.total / 2) == pytest.approx(float(wanted)) == pytest.approx(float(objective.formula(batch)))
    assert float(found.metrics["absolute_error"]) == pytest.approx(2.0)
    (head,) = objective.asks.heads
    assert (head.width, head.problem_type) == (1, "regression")


def test_several_classes_are_learnt_as_transformers_learns_them(chat):
    from types import SimpleNamespace

    from sklearn.metrics import f1_score
    from transformers.loss.loss_utils import ForSequenceClassificationLoss

    objective = TextClassifier(TOPICS)
    rows = [["delivery", "price"], [], ["quality"], [1]]  # a number is a place, where no name is one
    groups = [objective.encode({"text": "It broke.", "labels": labels}, chat) for labels in rows]
    wanted = torch.tensor([[1, 1, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]])
    scores = torch.tensor([[0.5, 2, -1], [-3, -0.5, 0.1], [-1, -1, -2], [-1, 1, -1]], dtype=torch.float64)
    config = SimpleNamespace(num_labels=3, problem_type="multi_label_classification")
    theirs = ForSequenceClassificationLoss(wanted.double(), scores, config)
    batch = MicroBatch(groups, places=(1,) * 4, scores={"score": scores})
    found = objective.loss(batch)
    assert float(found.total / 4) == pytest.approx(float(theirs)) == pytest.approx(float(objective.formula(batch)))
    assert float(found.metrics["accuracy"]) == 2
    hits, counts = found.metrics["macro_f1"]
    assert float((hits / counts).mean()) == pytest.approx(f1_score(wanted, scores > 0, average="macro"))
    (head,) = objective.asks.heads
    assert (head.width, head.problem_type, head.labels) == (3, "multi_label_classification", ("price", "delivery", "quality"))


def test_one_class_and_several_are_told_apart(chat):
    with pytest.raises(UserError, match=r"TS-DATA-080.*one class"):
        TextClassifier(TOPICS).encode({"text": "a", "label": "price"}, chat)
    with pytest.raises(UserError, match=r"TS-DATA-080.*a list of classes"):
        TextClassifier(SETTINGS).encode({"text": "a", "labels": ["negative"]}, chat)
    with pytest.raises(UserError, match="TS-DATA-079"):
        TextClassifier(TOPICS).encode({"text": "a", "labels": ["price", "colour"]}, chat)


def test_a_number_and_classes_exclude_each_other(chat):
    with pytest.raises(UserError, match="TS-TRAIN-101"):
        TextClassifier(TextSettings(["a", "b"], problem_type="regression"))
    with pytest.raises(UserError, match="TS-DATA-079"):
        TextClassifier(NUMBERS).encode({"text": "a", "label": "positive"}, chat)


def test_a_word_has_its_class_at_its_last_token(chat):
    row = {"tokens": ["Er", "lebte", "in", "Weimar"], "labels": ["O", "O", "O", "PLACE"]}
    group = WordClassifier(TAGS).encode(row, chat)
    (sequence,) = group.sequences
    read = [chat.tokenizer.decode(sequence.tokens[: place + 1]) for place in sequence.places]
    assert read == ["Er", "Er lebte", "Er lebte in", "Er lebte in Weimar"]
    assert (group.facts, WordClassifier(TAGS).weight(group)) == ({"classes": [0, 0, 0, 1]}, 4.0)


def test_each_refuses_the_other_s_rows(chat):
    with pytest.raises(UserError, match=r"TS-DATA-080.*each word"):
        TextClassifier(SETTINGS).encode({"tokens": ["a"], "labels": ["negative"]}, chat)
    with pytest.raises(UserError, match="TS-DATA-080"):
        WordClassifier(TAGS).encode({"text": "a", "label": "O"}, chat)


@pytest.mark.parametrize(
    ("labels", "label", "number"),
    [(["no", "yes"], "yes", 1), (["no", "yes"], 1, 1), ([0, 1], 1, 1), ([1, 0], 1, 0), (["1", "0"], 0, 1), ([-1, 1], -1, 0)],
)
def test_a_class_is_a_name_or_where_none_is_a_number_a_place(labels, label, number):
    assert Classes(labels).number(label) == number


@pytest.mark.parametrize(("labels", "label"), [(["no", "yes"], "maybe"), (["no", "yes"], 2), ([1, 2], 0), (["no", "yes"], 0.5)])
def test_a_class_that_is_not_named_is_refused(labels, label):
    with pytest.raises(UserError, match="TS-DATA-079"):
        Classes(labels).number(label)


@pytest.mark.parametrize("labels", [["one"], ["one", "two", "one"]])
def test_a_classifier_has_two_classes_at_least_and_none_twice(labels):
    with pytest.raises(UserError, match="TS-TRAIN-101"):
        TextClassifier(TextSettings(labels))


@pytest.mark.parametrize("objective", [TextClassifier(TextSettings()), WordClassifier(ClassifySettings())])
def test_without_classes_rows_can_be_shown_and_not_be_trained_on(objective, chat):
    text = {"text": "It broke.", "label": "negative"}
    shown = text if isinstance(objective, TextClassifier) else {"tokens": ["It", "broke."], "labels": ["O", "O"]}
    group = objective.encode(shown, chat)
    assert (len(group.sequences), group.facts) == (1, {})
    with pytest.raises(UserError, match="TS-TRAIN-101"):
        objective.read_facts([group.facts])


def test_a_plan_names_the_classes_that_the_data_has():
    with pytest.raises(UserError) as missing:
        parts(EstimateRequest(settings={"labels": []}, data={"labels": {"yes": 3, "no": 2}}))
    assert (missing.value.code, "labels: [no, yes]" in missing.value.fix) == ("TS-TRAIN-101", True)
    with pytest.raises(UserError, match=r"'maybe', 'perhaps'.*'no', 'yes'") as unknown:
        parts(EstimateRequest(settings={"labels": ["no", "yes"]}, data={"labels": {"yes": 3, "perhaps": 1, "maybe": 2}}))
    assert unknown.value.code == "TS-DATA-079"
    assert parts(EstimateRequest(settings={"labels": ["no", "yes"]}, data={"labels": {"yes": 3, "0": 1}}))["head"] == 2


def test_equal_scores_are_a_guess_and_what_was_cut_off_does_not_count():
    group = Group((TokenSequence([1, 2, 3], [False] * 3, places=(0, 1)),), {"classes": [0, 1, 1]})
    scores = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
    batch = MicroBatch([group], places=[2], scores={"score": scores})
    objective = WordClassifier(TAGS)
    result = objective.loss(batch)
    assert result.total.item() / 2 == pytest.approx(math.log(2)) == objective.formula(batch).item()
    assert result.metrics["accuracy"].item() == 1  # of the two, one is the first class
