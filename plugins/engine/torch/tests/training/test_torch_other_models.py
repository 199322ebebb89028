"""Models beside the one that trains: a reference and a teacher that are inputs of the step."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from tunesmith.contracts import Artifact, UserError
from tunesmith_distill.objective import Distillation
from tunesmith_distill.settings import DistillSettings
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_sdk.tiny_models import tiny_model

PLAIN = {"max_steps": 2, "learning_rate": 1e-3, "batch_size": 12}


@pytest.fixture
def other(tmp_path_factory):
    """Of the same tokenizer, with other weights."""
    return Artifact("model/hf", tiny_model(tmp_path_factory.mktemp("other"), seed=5), digest="sha256:other")


def with_input(bench, **inputs: Artifact):
    """Every later step has them, too."""

    def add(step):
        step.inputs |= inputs

    bench.before = add
    return bench


def answers(model, bench, rows) -> torch.Tensor:
    """(rows, 2) log p of the chosen and the rejected answer by a model, with transformers."""
    from tunesmith_torch.api.model import load_model
    from tunesmith_torch.api.text import chat_encoder

    loaded, chat = load_model(model, dtype="float32"), chat_encoder(bench.base)
    found = []
    for row in rows:
        for sequence in DirectPreference(PreferenceSettings()).encode(row, chat).sequences:
            ids = torch.tensor([sequence.tokens])
            logs = torch.log_softmax(loaded(ids).logits[0].float(), -1)
            wanted = [at for at, label in enumerate(sequence.labels) if label]
            found.append(float(sum(logs[at - 1, sequence.tokens[at]] for at in wanted)))
    return torch.tensor(found).view(-1, 2)


@pytest.mark.parametrize("adapter", [None, "full"])
def test_the_first_loss_is_that_against_the_reference_that_was_given(bench, preference_rows, other, adapter):
    ours, theirs = (answers(model, bench, preference_rows) for model in (bench.base, other))
    margin = 0.1 * ((ours - theirs)[:, 0] - (ours - theirs)[:, 1])
    expected = -torch.nn.functional.logsigmoid(margin).mean()
    made = Full(FullSettings()) if adapter else None
    objective = DirectPreference(PreferenceSettings())
    with_input(bench, reference=other).train(PLAIN, rows=preference_rows, objective=objective, adapter=made)
    assert bench.series("loss")[0] == pytest.approx(float(expected), rel=1e-4)


def test_a_student_comes_closer_to_its_teacher(bench, chat_rows, other):
    objective = Distillation(DistillSettings(top_k=50))
    settings = {"num_train_epochs": 8, "learning_rate": 1e-2}
    output, _ = with_input(bench, teacher=other).train(settings, rows=chat_rows, objective=objective)
    losses = bench.series("loss")
    assert losses[-1] < 0.7 * losses[0]
    assert not [name for name in json.loads((output / "adapter_config.json").read_text()) if "teacher" in name]


def test_micro_batches_make_no_difference_to_a_student(bench, chat_rows, other):
    objective = Distillation(DistillSettings(top_k=20, beta=0.5))
    with_input(bench, teacher=other).train(PLAIN, rows=chat_rows, objective=objective, name="whole")
    whole = bench.series("loss")
    bench.notices.clear()
    bench.train(PLAIN | {"max_tokens_per_microbatch": 60}, rows=chat_rows, objective=objective, name="cut")
    assert bench.series("loss") == pytest.approx(whole, rel=1e-4)


def test_a_teacher_with_another_tokenizer_is_refused_before_its_weights_are_read(bench, chat_rows, other, tmp_path):
    strange = tmp_path / "strange"
    shutil.copytree(other.path, strange)
    described = json.loads((strange / "tokenizer.json").read_text(encoding="utf-8"))
    first, second = list(described["model"]["vocab"])[20:22]
    vocabulary = described["model"]["vocab"]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (strange / "tokenizer.json").write_text(json.dumps(described), encoding="utf-8")
    (strange / "model.safetensors").write_bytes(b"none")
    bench = with_input(bench, teacher=Artifact("model/hf", strange, digest="sha256:strange"))
    with pytest.raises(UserError, match="TS-TRAIN-110: The teacher"):
        bench.train(PLAIN, rows=chat_rows, objective=Distillation(DistillSettings()))
