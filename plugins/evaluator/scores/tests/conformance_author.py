"""What the conformance kit can't know: models with roles, and metrics that follow from how they were made."""

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Artifact
from tunesmith_data.api import message, read_rows
from tunesmith_sdk.testing.choice_models import choice_answers, questions
from tunesmith_sdk.testing.scoring_models import fitted_head, with_head
from tunesmith_torch.api.scoring import conversation_sequence, load_scoring_model, steps_sequence, text_sequence, words_sequence

ROLES = {
    "reward-accuracy": "reward", "process-reward-accuracy": "process-reward", "classification": "classify",
    "token-classification": "classify-tokens", "retrieval": "embed",
}  # fmt: skip
LABELS = {"process-reward": ("wrong", "right"), "classify": ("even", "odd"), "classify-tokens": ("O", "B-PLACE", "I-PLACE")}
WORDS = [
    {"tokens": ["Goethe", "lived", "in", "Weimar"], "labels": ["O", "O", "O", "B-PLACE"]},
    {"tokens": ["New", "York", "is", "large"], "labels": ["B-PLACE", "I-PLACE", "O", "O"]},
]


def rows(case):
    """Questions for `multiple-choice`, rows of words for `token-classification`, more than ten for `retrieval`; else those of the kit."""
    texts = [
        f"{word} and {word}" for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    ]
    doubled = [{"anchor": text, "positive": text, "negatives": [text[:3]]} for text in texts]
    if case.name == "multiple-choice":
        return questions(case)
    return {"token-classification": WORDS, "retrieval": doubled}.get(case.name)


def examinee(case, data, good):
    """A head that was fitted to the rows, and one of the same numbers with the wrong sign; to who embeds badly, all texts are alike."""
    if case.name == "multiple-choice":
        yield Artifact("model/hf", case.material("taught" if good else "blank"))
        return
    role = ROLES[case.name]
    base, folder = case.material("taught"), case.directory / ("good" if good else "bad")
    if role == "embed":
        model = with_head(base, folder, role, None, usage={"pooling": "mean"})
        if not good:
            tensors = load_file(folder / "model.safetensors")
            save_file(tensors | {"model.norm.weight": tensors["model.norm.weight"] * 0}, folder / "model.safetensors", {"format": "pt"})
        yield model
        return
    model = load_scoring_model(with_head(base, folder, "embed", None))
    sequences, wanted = _wanted(role, list(read_rows(data.path)), model.chat)
    states = torch.cat(model.hidden_states(sequences)).clone()
    head = fitted_head(states, torch.tensor(wanted))
    yield with_head(base, folder, role, head if good else -head, bias=torch.zeros(len(head)), labels=LABELS.get(role, ()))


def known_answers(case):
    """Heads that say the same of everything."""
    if case.name == "multiple-choice":
        yield from choice_answers(case)
        return
    role, base = ROLES[case.name], case.material("blank")
    hidden = 128
    if role == "reward":
        pairs = [_pair("Why?", "So."), _pair("Where?", "Here.", category="a"), _pair("Who?", "You.", category="b")]
        model = with_head(base, case.directory, role, torch.zeros(1, hidden))
        zero = {"rewards/accuracy": 0.0, "rewards/margin": 0.0, "rewards/accuracy/macro": 0.0, "rewards/accuracy/lowest": 0.0, "pairs": 3.0}
        yield model, pairs, zero
    elif role == "process-reward":
        rows = [
            {"messages": [message("user", "1 + 1 + 1?")], "completions": ["1 + 1 = 2", "2 + 1 = 3"], "labels": labels}
            for labels in ([True, True], [True, False], [False, True])
        ]
        half = {"steps/accuracy": 4 / 6, "solutions/accuracy/right": 1.0, "solutions/accuracy/wrong": 0.0, "first_error_f1": 0.0}
        yield _constant(case, role, 1), rows, half
        all_wrong = {"steps/accuracy": 2 / 6, "solutions/accuracy/right": 0.0, "solutions/accuracy/wrong": 0.5, "first_error_f1": 0.0}
        yield _constant(case, role, 0), rows, all_wrong
    elif role == "classify":
        rows = [{"text": text, "label": label} for text, label in (("one", "odd"), ("two", "even"), ("three", "odd"), ("five", 1))]
        yield _constant(case, role, 1), rows, {"accuracy": 0.75, "macro_f1": 3 / 7, "lowest_f1": 0.0, "rows": 4.0}
    elif role == "classify-tokens":
        outside = {"accuracy": 5 / 8, "entity_f1": 0.0, "entity_recall": 0.0, "entities": 2.0, "macro_f1": (10 / 13) / 3, "words": 8.0}
        yield _constant(case, role, 0), WORDS, outside
    else:
        rows = [{"anchor": f"{word} and {word}", "positive": f"{word} and {word}", "negatives": [word]} for word in ("one", "two", "three")]
        model = with_head(case.material("taught"), case.directory, role, None, usage={"pooling": "mean"})
        yield model, rows, {"recall@1": 1.0, "ndcg@10": 1.0, "mrr@10": 1.0, "queries": 3.0, "documents": 6.0}


def _constant(case, role, number):
    """One class, whatever it reads."""
    labels = LABELS[role]
    bias = torch.zeros(len(labels))
    bias[number] = 5.0
    head = torch.zeros(len(labels), 128)
    return with_head(case.material("blank"), case.directory / f"always-{number}", role, head, bias=bias, labels=labels)


def _pair(question, answer, **more):
    asked, chosen, rejected = message("user", question), message("assistant", answer), message("assistant", f"Not {answer}")
    return {"messages": [asked], "chosen": [chosen], "rejected": [rejected], **more}


def _wanted(role, rows, chat):
    """The sequences of rows, and what the head should say at their places."""
    if role == "reward":
        told = [(conversation_sequence(chat, [*row["messages"], *row[side]]), side) for row in rows for side in ("chosen", "rejected")]
        return [one for one, _ in told], [[1.0 if side == "chosen" else -1.0] for _, side in told]
    if role == "process-reward":
        sequences = [steps_sequence(chat, row["messages"], row["completions"], separator="\n") for row in rows]
        return sequences, [[-1.0, 1.0] if label else [1.0, -1.0] for row in rows for label in row["labels"]]  # not quite sure
    if role == "classify":
        told = [conversation_sequence(chat, row["messages"]) if "messages" in row else text_sequence(chat, row["text"]) for row in rows]
        return told, [[9.0, -9.0] if row["label"] == "even" else [-9.0, 9.0] for row in rows]
    classes = LABELS[role]
    return [words_sequence(chat, row["tokens"]) for row in rows], [
        [9.0 if name == label else -9.0 for name in classes] for row in rows for label in row["labels"]
    ]
