"""Scoring models are run as they were trained. The oracle is transformers: its classifiers, and its base model for embeddings."""

from __future__ import annotations

import json

import pytest
import torch

from tunesmith.contracts import Artifact, UserError
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.api.scoring import conversation_sequence, embedded_sequence, load_scoring_model, text_sequence
from tunesmith_torch.merge import run
from tunesmith_torch.settings import MergeSettings

SETTINGS = {"num_train_epochs": 1, "learning_rate": 3e-3}
PAIRS = [
    {
        "messages": [message("user", f"Say {word}")], "chosen": [message("assistant", word)],
        "rejected": [message("assistant", f"not {word}")],
    }
    for word in ("one", "two", "three", "four")
]  # fmt: skip


def merged(bench, rows, objective, role, tmp_path):
    lora = Lora(LoraSettings(r=4, lora_alpha=8.0))
    output, _ = bench.train(SETTINGS, rows=rows, objective=objective, adapter=lora)
    directory = tmp_path / "merged"
    directory.mkdir()
    run(WorkerStep(
        name="merge", output=directory, work=tmp_path, settings=build(MergeSettings, {"dtype": "float32"}), seed=1,
        inputs={"model": Artifact(f"adapter/peft+{role}", output, refs={"base": bench.base})}, providers={"adapter": lora},
        notify=lambda *told: None,
    ))  # fmt: skip
    return Artifact(f"model/hf+{role}", directory)


def test_a_reward_model_scores_as_transformers_classifier_does(bench, tmp_path):
    from transformers import AutoModelForSequenceClassification

    from tunesmith_reward.objective import RewardModel
    from tunesmith_reward.settings import RewardSettings

    objective = RewardModel(RewardSettings())
    artifact = merged(bench, PAIRS, objective, "reward", tmp_path)
    model = load_scoring_model(artifact)
    told = [[*row["messages"], *row[side]] for row in PAIRS for side in ("chosen", "rejected")]
    sequences = [conversation_sequence(model.chat, messages) for messages in told]
    trained = [sequence for row in PAIRS for sequence in objective.encode(row, model.chat).sequences]
    assert [one.tokens for one in sequences] == [one.tokens for one in trained]
    found = model.scores(sequences)
    theirs = AutoModelForSequenceClassification.from_pretrained(artifact.path).eval()
    with torch.no_grad():
        wanted = [theirs(torch.tensor([one.tokens])).logits for one in sequences]
    torch.testing.assert_close(torch.cat(found), torch.cat(wanted), rtol=1e-4, atol=1e-5)
    assert (model.role, model.problem_type) == ("reward", "")


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_an_embedding_model_tells_how_it_is_used(bench, tmp_path, pooling):
    from transformers import AutoModel

    from tunesmith_embed.objective import Embedding
    from tunesmith_embed.settings import EmbedSettings
    from tunesmith_models.roles import role_of_model

    rows = [{"anchor": f"Say {word}", "positive": word, "negatives": []} for word in ("one", "two", "three", "four")]
    objective = Embedding(EmbedSettings(pooling=pooling, matryoshka_dims=[8], query_prompt="query: "))
    artifact = merged(bench, rows, objective, "embed", tmp_path)
    model = load_scoring_model(artifact)
    assert model.usage == {"pooling": pooling, "matryoshka_dims": [8], "query_prompt": "query: ", "document_prompt": ""}
    assert role_of_model(json.loads((artifact.path / "config.json").read_text())) == "embed"
    texts = ["query: Say one", "a longer text of several words", "one"]
    sequences = [embedded_sequence(model.chat, text, model.usage["pooling"]) for text in texts]
    base = AutoModel.from_pretrained(artifact.path).eval()
    for vector, one in zip(model.embeddings(sequences), sequences, strict=True):
        with torch.no_grad():
            states = base(torch.tensor([one.tokens])).last_hidden_state[0]
        wanted = states[-1] if pooling == "last" else states.mean(0)
        torch.testing.assert_close(vector, wanted / wanted.norm(), rtol=1e-4, atol=1e-5)
    assert [one.tokens for one in sequences[:1]] == [objective.encode(rows[0], model.chat).sequences[0].tokens]


def test_a_model_without_the_head_of_its_role_is_refused(bench):
    with pytest.raises(UserError, match="TS-MODEL-024"):
        load_scoring_model(Artifact("model/hf+reward", bench.base.path))


def test_a_text_is_read_at_its_last_token(bench):
    from tunesmith_torch.api.text import chat_encoder

    sequence = text_sequence(chat_encoder(bench.base), "one two")
    assert sequence.places == (-1,)
    assert not any(sequence.labels)
