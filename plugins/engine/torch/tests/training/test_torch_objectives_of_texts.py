"""Objectives of plain texts, classes, steps and embeddings train with the losses that transformers computes on the same model."""

from __future__ import annotations

import json

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from tunesmith_classify.settings import ClassifySettings, TextSettings
from tunesmith_classify.texts import TextClassifier
from tunesmith_classify.words import WordClassifier
from tunesmith_data.api import message
from tunesmith_embed.objective import Embedding
from tunesmith_embed.settings import EmbedSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_pretrain.objective import Pretraining
from tunesmith_process_reward.objective import ProcessReward
from tunesmith_torch.api.text import load_tokenizer
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder

TEXTS = ["The store keeps artifacts under their hash.", "A plan comes before a run.", "Naïve café 你好 🙂", "Kinds, not names!" * 3]
DOCUMENTS = [{"text": text * (1 + number % 2)} for number, text in enumerate(TEXTS * 2)]
CLASSES = [{"text": text, "label": ("short", "long")[len(text) > 30]} for text in TEXTS]
TAGS = [{"tokens": text.split(), "labels": [("low", "high")[word[0].isupper()] for word in text.split()]} for text in TEXTS]
STEPS = [
    {"messages": [message("user", text)], "completions": ["One is one.", text][: 1 + at % 2], "labels": [True, False][: 1 + at % 2]}
    for at, text in enumerate(TEXTS)
]  # fmt: skip
PASSAGES = [
    {"anchor": text[:9], "positive": text, "negatives": [f"Not {text}", "Nobody knows."][: at % 3]} for at, text in enumerate(TEXTS * 2)
]  # fmt: skip
ONCE = {"max_steps": 1, "batch_size": 16, "learning_rate": 1e-3}
SEVERAL = {"num_train_epochs": 8, "batch_size": 8, "learning_rate": 3e-3}


def trained(bench, objective, rows, settings, **more):
    """The directory of the whole model, and the result."""
    return bench.train(settings, rows=rows, objective=objective, adapter=Full(FullSettings()), **more)


def test_pretraining_has_transformers_loss_and_document_boundaries(bench):
    from transformers import AutoModelForCausalLM

    trained(bench, Pretraining(), DOCUMENTS, ONCE | {"max_length": 512})
    model, tokenizer = AutoModelForCausalLM.from_pretrained(bench.base.path).eval().requires_grad_(False), load_tokenizer(bench.base)
    total = count = 0
    for row in DOCUMENTS:  # one at a time: none sees another
        ids = torch.tensor([[*tokenizer(row["text"])["input_ids"], tokenizer.eos_token_id]])
        total += float(model(input_ids=ids, labels=ids).loss) * (ids.shape[1] - 1)
        count += ids.shape[1] - 1
    assert bench.series("loss")[0] == pytest.approx(total / count, rel=1e-5)


def test_a_model_without_a_chat_template_is_pretrained_in_pieces(bench, tmp_path, tiny):
    import shutil

    bare = tmp_path / "bare"
    shutil.copytree(tiny, bare)
    tokenizer = load_tokenizer(bare)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(bare)
    (bare / "chat_template.jinja").unlink(missing_ok=True)
    bench.base = type(bench.base)("model/hf", bare, digest="sha256:bare")
    _, result = trained(bench, Pretraining(), DOCUMENTS, SEVERAL | {"max_length": 16})
    counts = [len(tokenizer(row["text"])["input_ids"]) + 1 for row in DOCUMENTS]
    assert result.meta["rows"] == sum(1 if count <= 16 else -(-(count - 1) // 15) for count in counts)
    assert bench.series("loss")[-1] < bench.series("loss")[0]


def test_a_classifier_is_transformers_with_the_names_of_its_classes(bench):
    from transformers import AutoModelForSequenceClassification

    objective = TextClassifier(TextSettings(["short", "long"]))
    output, result = trained(bench, objective, CLASSES, SEVERAL, validation=CLASSES)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(output).eval().requires_grad_(False), load_tokenizer(output)
    assert model.config.id2label == {0: "short", 1: "long"}
    losses, wanted, answers = [], [], []
    for row in CLASSES:
        label = model.config.label2id[row["label"]]
        found = model(torch.tensor([tokenizer(row["text"])["input_ids"]]), labels=torch.tensor([label]))
        losses.append(float(found.loss))
        wanted.append(label)
        answers.append(int(found.logits.argmax()))
    assert result.metrics["validation_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    assert result.metrics["validation_accuracy"] == accuracy_score(wanted, answers)
    assert result.metrics["validation_macro_f1"] == pytest.approx(f1_score(wanted, answers, average="macro"))
    assert bench.series("loss")[-1] < bench.series("loss")[0]


def test_several_classes_at_once_are_transformers_own(bench):
    from transformers import AutoModelForSequenceClassification

    names = ["long", "artifacts", "plans"]
    rows = [{"text": text, "labels": [name for at, name in enumerate(names) if (len(text) > 30, "a" in text, "plan" in text)[at]]}
            for text in TEXTS]  # fmt: skip
    objective = TextClassifier(TextSettings(names, problem_type="multi_label_classification"))
    output, result = trained(bench, objective, rows, SEVERAL | {"max_tokens_per_microbatch": 60}, validation=rows)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(output).eval().requires_grad_(False), load_tokenizer(output)
    assert (model.config.problem_type, model.config.id2label) == ("multi_label_classification", dict(enumerate(names)))
    wanted = torch.tensor([[float(name in row["labels"]) for name in names] for row in rows])
    found = [model(torch.tensor([tokenizer(row["text"])["input_ids"]]), labels=own[None]) for row, own in zip(rows, wanted, strict=True)]
    assert result.metrics["validation_loss"] == pytest.approx(sum(float(one.loss) for one in found) / len(rows), rel=1e-4)
    answers = torch.cat([one.logits for one in found]) > 0
    assert result.metrics["validation_accuracy"] == accuracy_score(wanted, answers)
    present = [at for at in range(len(names)) if wanted[:, at].any() or answers[:, at].any()]
    assert result.metrics["validation_macro_f1"] == pytest.approx(f1_score(wanted, answers, average="macro", labels=present))
    assert bench.series("loss")[-1] < bench.series("loss")[0]


def test_a_regression_is_transformers_own(bench):
    from transformers import AutoModelForSequenceClassification

    rows = [{"text": row["text"], "label": len(row["text"]) / 20} for row in CLASSES]
    output, result = trained(bench, TextClassifier(TextSettings(problem_type="regression")), rows, SEVERAL, validation=rows)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(output).eval().requires_grad_(False), load_tokenizer(output)
    assert (model.config.problem_type, model.config.num_labels) == ("regression", 1)
    losses = [float(model(torch.tensor([tokenizer(row["text"])["input_ids"]]), labels=torch.tensor([row["label"]])).loss) for row in rows]
    assert result.metrics["validation_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    assert bench.series("loss")[-1] < bench.series("loss")[0]


def test_a_tagger_is_transformers_token_classifier(bench):
    from transformers import AutoModelForTokenClassification

    objective = WordClassifier(ClassifySettings(["low", "high"]))
    output, result = trained(bench, objective, TAGS, SEVERAL, validation=TAGS)
    model = AutoModelForTokenClassification.from_pretrained(output).eval().requires_grad_(False)
    assert model.config.id2label == {0: "low", 1: "high"}
    assert result.metrics["validation_loss"] == pytest.approx(loss_at_places(model, objective, TAGS, "classes", bench), rel=1e-4)


def test_a_process_reward_model_is_transformers_token_classifier(bench):
    from transformers import AutoModelForTokenClassification

    output, result = trained(bench, ProcessReward(), STEPS, SEVERAL, validation=STEPS)
    model = AutoModelForTokenClassification.from_pretrained(output).eval().requires_grad_(False)
    assert model.config.label2id == {"wrong": 0, "right": 1}
    assert result.metrics["validation_loss"] == pytest.approx(loss_at_places(model, ProcessReward(), STEPS, "steps", bench), rel=1e-4)


def loss_at_places(model, objective, rows, fact, bench) -> float:
    """The loss that the model itself computes, over all rows; -100 where no label is."""
    chat, total, count = chat_encoder(bench.base), 0.0, 0
    for row in rows:
        group = objective.encode(row, chat)
        (sequence,) = group.sequences
        labels = torch.full((1, len(sequence.tokens)), -100)
        labels[0, list(sequence.places)] = torch.tensor(group.facts[fact])
        number = len(sequence.places)
        total += float(model(torch.tensor([sequence.tokens]), labels=labels).loss) * number
        count += number
    return total / count


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_an_embedding_learns_from_the_whole_batch_however_it_is_cut(bench, pooling):
    objective = Embedding(EmbedSettings(pooling=pooling, hard_negatives=2, matryoshka_dims=[8]))
    whole, _ = trained(bench, objective, PASSAGES, SEVERAL, name="whole")
    losses = bench.series("loss")
    bench.notices.clear()
    cut, result = trained(bench, objective, PASSAGES, SEVERAL | {"max_tokens_per_microbatch": 120}, name="cut", validation=PASSAGES)
    assert bench.series("loss") == pytest.approx(losses, rel=1e-4)
    assert losses[-1] < losses[0]
    assert result.metrics["validation_accuracy"] >= 0.25  # each passage is there twice: half is all that is sure of the best
    assert json.loads((whole / "config.json").read_text()) == json.loads((cut / "config.json").read_text())


def test_an_embedding_s_loss_is_cross_entropy_on_transformers_hidden_states(bench):
    from transformers import AutoModel

    settings = EmbedSettings(hard_negatives=1, temperature=0.1)
    trained(bench, Embedding(settings), PASSAGES, ONCE)
    model, tokenizer = AutoModel.from_pretrained(bench.base.path).eval().requires_grad_(False), load_tokenizer(bench.base)

    def embedded(texts):
        states = [model(torch.tensor([[*tokenizer(text)["input_ids"], tokenizer.eos_token_id]])).last_hidden_state[0, -1] for text in texts]
        return torch.nn.functional.normalize(torch.stack(states), dim=1)

    anchors = embedded([row["anchor"] for row in PASSAGES])
    documents = embedded([row["positive"] for row in PASSAGES] + [text for row in PASSAGES for text in row["negatives"][:1]])
    wanted = torch.nn.functional.cross_entropy(anchors @ documents.T / 0.1, torch.arange(len(PASSAGES)))
    assert bench.series("loss")[0] == pytest.approx(float(wanted), rel=1e-4)
