"""The evaluators on tiny real models. The oracle is transformers' class of the model, a row at a time."""

from __future__ import annotations

import json

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, multilabel_confusion_matrix

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import message
from tunesmith_scores.classification import CONFUSION, Classification, TokenClassification
from tunesmith_scores.process_reward_accuracy import ProcessRewardAccuracy
from tunesmith_scores.retrieval import Retrieval
from tunesmith_scores.reward_accuracy import RewardAccuracy
from tunesmith_scores.settings import ProcessRewardSettings, ScoresSettings
from tunesmith_sdk.testing.datasets import dataset
from tunesmith_sdk.testing.scoring_models import drawn_head, with_head
from tunesmith_sdk.tiny_models import tiny_encoder

LABELS = ("even", "odd", "none")


def pairs(*categories):
    return [
        {
            "messages": [message("user", f"Say {number}")], "chosen": [message("assistant", f"It is {number}.")],
            "rejected": [message("assistant", f"Never {number * 7}!")], **({"category": category} if category else {}),
        }
        for number, category in enumerate(categories)
    ]  # fmt: skip


def rows_of(step, rows, format):
    return dataset(step.work / "rows", rows, format)


@pytest.fixture(scope="session")
def base(tiny_model):
    """A tiny model's directory."""
    return tiny_model()


@pytest.fixture
def judge(base, tmp_path):
    return with_head(base, tmp_path / "judge", "reward", drawn_head(base, 1))


def test_pairs_are_scored_as_transformers_scores_them(judge, local_step):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    step, rows = local_step(), pairs("a", "a", "b", "", "b", "a")
    found = RewardAccuracy(ScoresSettings(max_tokens_per_microbatch=64)).evaluate(judge, rows_of(step, rows, "dataset/preference"), step)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(judge.path).eval(), AutoTokenizer.from_pretrained(judge.path)
    margins = []
    for row in rows:
        scores = []
        for side in ("chosen", "rejected"):
            plain = [{"role": turn["role"], "content": turn["content"][0]["text"]} for turn in (*row["messages"], *row[side])]
            ids = tokenizer(tokenizer.apply_chat_template(plain, tokenize=False), add_special_tokens=False, return_tensors="pt")[
                "input_ids"
            ]
            with torch.no_grad():
                scores.append(float(model(ids).logits))
        margins.append(scores[0] - scores[1])
    assert [sample["score"] for sample in found.samples] == pytest.approx(margins, rel=1e-3, abs=1e-4)
    right = [margin > 0 for margin in margins]
    assert found.metrics["rewards/accuracy"] == pytest.approx(sum(right) / 6)
    of_a, of_b = (right[0] + right[1] + right[5]) / 3, (right[2] + right[4]) / 2
    assert found.metrics["rewards/accuracy/macro"] == pytest.approx((of_a + of_b) / 2)
    assert found.metrics["rewards/accuracy/lowest"] == pytest.approx(min(of_a, of_b))
    assert any("accuracy by category" in text for _, text in step.reports.logs)


def test_without_categories_no_figure_of_them_is_told(judge, local_step):
    step = local_step()
    found = RewardAccuracy(ScoresSettings()).evaluate(judge, rows_of(step, pairs("", ""), "dataset/preference"), step)
    assert "rewards/accuracy/macro" not in found.metrics


def test_rows_that_are_too_long_are_left_out_and_told(judge, local_step):
    step = local_step()
    rows = [*pairs(""), {**pairs("")[0], "chosen": [message("assistant", "long " * 300)]}]
    found = RewardAccuracy(ScoresSettings(max_length=200)).evaluate(judge, rows_of(step, rows, "dataset/preference"), step)
    assert found.metrics["pairs"] == 1
    assert [level for level, text in step.reports.logs if "1 of 2 rows" in text] == ["warning"]
    step = local_step()
    with pytest.raises(UserError, match="TS-DATA-040"):
        RewardAccuracy(ScoresSettings(max_length=2)).evaluate(judge, rows_of(step, rows, "dataset/preference"), step)


def test_classes_are_those_of_transformers(base, tmp_path, local_step):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    sorter = with_head(base, tmp_path / "sorter", "classify", drawn_head(base, 3), labels=LABELS)
    texts = ["one", "two of them", "three and three", "4", "The fifth of all", "six, or more", "seven", "eight!"]
    rows = [{"text": text, "label": LABELS[at % 3]} for at, text in enumerate(texts)]
    step = local_step()
    found = Classification(ScoresSettings()).evaluate(sorter, rows_of(step, rows, "dataset/labelled"), step)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(sorter.path).eval(), AutoTokenizer.from_pretrained(sorter.path)
    with torch.no_grad():
        theirs = [int(model(tokenizer(text, return_tensors="pt")["input_ids"]).logits.argmax()) for text in texts]
    assert [sample["answer"] for sample in found.samples] == [LABELS[at] for at in theirs]
    wanted = [at % 3 for at in range(len(texts))]
    assert found.metrics["macro_f1"] == pytest.approx(f1_score(wanted, theirs, average="macro", zero_division=0))
    told = json.loads((step.output / CONFUSION).read_text())
    assert told["labels"] == list(LABELS)
    assert sum(map(sum, told["matrix"])) == len(texts)


def test_an_encoder_is_judged_as_transformers_class_answers(tmp_path, local_step):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    names = dict(enumerate(LABELS))
    ids = {name: at for at, name in names.items()}
    path = tiny_encoder(tmp_path / "encoder", kind="AutoModelForSequenceClassification", id2label=names, label2id=ids)
    texts = ["one", "two of them", "three and three", "4", "The fifth of all", "six, or more"]
    rows = [{"text": text, "label": LABELS[at % 3]} for at, text in enumerate(texts)]
    step = local_step()
    found = Classification(ScoresSettings()).evaluate(Artifact("model/hf+classify", path), rows_of(step, rows, "dataset/labelled"), step)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(path).eval(), AutoTokenizer.from_pretrained(path)
    with torch.no_grad():
        theirs = [int(model(torch.tensor([tokenizer(text)["input_ids"]])).logits.argmax()) for text in texts]
    assert [sample["answer"] for sample in found.samples] == [LABELS[at] for at in theirs]


def test_several_classes_at_once_are_those_of_scikit_learn(base, tmp_path, local_step):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    head = drawn_head(base, 3)
    sorter = with_head(base, tmp_path / "topics", "classify", head, labels=LABELS, problem_type="multi_label_classification")
    texts = ["one", "two of them", "three and three", "4", "The fifth of all", "six, or more", "seven", "eight!"]
    wanted = [[at % 2, at % 3 == 0, at > 5] for at in range(len(texts))]
    rows = [
        {"text": text, "labels": [name for name, has in zip(LABELS, own, strict=True) if has]}
        for text, own in zip(texts, wanted, strict=True)
    ]
    step = local_step()
    found = Classification(ScoresSettings()).evaluate(sorter, rows_of(step, rows, "dataset/labelled"), step)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(sorter.path).eval(), AutoTokenizer.from_pretrained(sorter.path)
    with torch.no_grad():
        theirs = [(model(tokenizer(text, return_tensors="pt")["input_ids"]).logits[0] > 0).tolist() for text in texts]
    for average in ("macro", "micro"):
        assert found.metrics[f"{average}_f1"] == pytest.approx(f1_score(wanted, theirs, average=average, zero_division=0))
    assert found.metrics["accuracy"] == accuracy_score(wanted, theirs)
    told = json.loads((step.output / CONFUSION).read_text())
    assert told == {"labels": list(LABELS), "matrices": multilabel_confusion_matrix(wanted, theirs).tolist()}
    for row in ({"text": "x", "label": LABELS[0]}, {"text": "x", "labels": ["prime"]}):
        with pytest.raises(UserError, match=r"TS-DATA-0(80|79)"):
            Classification(ScoresSettings()).evaluate(sorter, dataset(step.work / str("label" in row), [row], "dataset/labelled"), step)


def test_numbers_of_a_regression(base, tmp_path, local_step):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = with_head(base, tmp_path / "number", "classify", drawn_head(base, 1), problem_type="regression")
    texts = ["one", "two of them", "three and three", "4"]
    step = local_step()
    rows = [{"text": text, "label": float(at)} for at, text in enumerate(texts)]
    found = Classification(ScoresSettings()).evaluate(model, rows_of(step, rows, "dataset/labelled"), step)
    theirs, tokenizer = AutoModelForSequenceClassification.from_pretrained(model.path).eval(), AutoTokenizer.from_pretrained(model.path)
    with torch.no_grad():
        numbers = [float(theirs(tokenizer(text, return_tensors="pt")["input_ids"]).logits) for text in texts]
    assert [sample["answer"] for sample in found.samples] == pytest.approx(numbers, rel=1e-3, abs=1e-4)
    assert found.metrics["mae"] == pytest.approx(sum(abs(number - at) for at, number in enumerate(numbers)) / 4, rel=1e-3)
    with pytest.raises(UserError, match="TS-DATA-079"):
        Classification(ScoresSettings()).evaluate(
            model, dataset(step.work / "named", [{"text": "x", "label": "odd"}], "dataset/labelled"), step
        )


@pytest.mark.parametrize(("evaluator", "role", "row", "code"), [
    (Classification, "classify", {"text": "x", "label": "prime"}, "TS-DATA-079"),
    (Classification, "classify", {"tokens": ["x"], "labels": ["odd"]}, "TS-DATA-080"),
    (TokenClassification, "classify-tokens", {"text": "x", "label": "odd"}, "TS-DATA-080"),
    (TokenClassification, "classify-tokens", {"tokens": ["x", " "], "labels": ["odd", "odd"]}, "TS-DATA-020"),
])  # fmt: skip
def test_rows_that_the_model_can_t_answer_are_refused(base, tmp_path, local_step, evaluator, role, row, code):
    model = with_head(base, tmp_path / "model", role, drawn_head(base, 3), labels=LABELS)
    step = local_step()
    with pytest.raises(UserError, match=code):
        evaluator(ScoresSettings()).evaluate(model, rows_of(step, [row], "dataset/labelled"), step)


def test_the_separator_of_steps_is_the_one_of_training(base, tmp_path, local_step):
    from transformers import AutoModelForTokenClassification

    from tunesmith_process_reward.objective import ProcessReward
    from tunesmith_process_reward.settings import ProcessRewardSettings as Trained
    from tunesmith_torch.api.text import chat_encoder

    settings = Trained(step_separator=" ## ")
    objective = ProcessReward(settings)
    usage = dict(objective.asks.usage)
    judge = with_head(
        base, tmp_path / "judge", "process-reward", drawn_head(base, 2), bias=torch.zeros(2), labels=("wrong", "right"), usage=usage
    )
    row = {"messages": [message("user", "1 + 1 + 1?")], "completions": ["1 + 1 = 2", "2 + 1 = 4"], "labels": [True, False]}
    step = local_step()
    found = ProcessRewardAccuracy(ProcessRewardSettings()).evaluate(judge, rows_of(step, [row], "dataset/stepwise"), step)
    (sequence,) = objective.encode(row, chat_encoder(judge)).sequences
    model = AutoModelForTokenClassification.from_pretrained(judge.path).eval()
    with torch.no_grad():
        logits = model(torch.tensor([sequence.tokens])).logits[0, list(sequence.places)]
    assert found.samples[0]["probabilities"] == pytest.approx(logits.softmax(-1)[:, 1].tolist(), rel=1e-3, abs=1e-5)


def test_nearness_is_that_of_pooled_states(base, tmp_path, local_step):
    from transformers import AutoModel, AutoTokenizer

    embedder = with_head(
        base, tmp_path / "embedder", "embed", None, usage={"pooling": "mean", "query_prompt": "q: ", "document_prompt": ""}
    )
    rows = [
        {"anchor": f"the {word}", "positive": f"{word} it is", "negatives": [f"{word[::-1]}", "nothing"]}
        for word in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
    ]
    step = local_step()
    found = Retrieval(ScoresSettings()).evaluate(embedder, rows_of(step, rows, "dataset/embedding"), step)
    model, tokenizer = AutoModel.from_pretrained(embedder.path).eval(), AutoTokenizer.from_pretrained(embedder.path)

    def vector(text):
        with torch.no_grad():
            mean = model(tokenizer(text, return_tensors="pt")["input_ids"]).last_hidden_state[0].mean(0)
        return mean / mean.norm()

    documents = list(dict.fromkeys(text for row in rows for text in (row["positive"], *row["negatives"])))
    matrix = torch.stack([vector(text) for text in documents])
    places = []
    for row in rows:
        order = (matrix @ vector("q: " + row["anchor"])).argsort(descending=True)
        places.append([documents[int(at)] for at in order].index(row["positive"]))
    assert found.metrics["documents"] == len(documents)
    for cut in (1, 5, 10):
        assert found.metrics[f"recall@{cut}"] == pytest.approx(sum(place < cut for place in places) / len(rows))
    assert found.metrics["mrr@10"] == pytest.approx(sum(1 / (place + 1) for place in places if place < 10) / len(rows))
