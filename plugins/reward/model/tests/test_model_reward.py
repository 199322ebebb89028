"""A tiny reward model, held against transformers' class of it; a server (pooling_server.py), and the default backend's."""

import json

import pytest
from pooling_server import pooling_server

from tunesmith.contracts import TunesmithError, UserError
from tunesmith_model_reward.conversation import conversation
from tunesmith_model_reward.reward import ModelReward
from tunesmith_model_reward.settings import ModelRewardSettings
from tunesmith_serve import endpoint_client

COMPLETIONS = ["It is 42.", "No.", "", "It is, as far as I can tell, forty-two."]


def scores(completions=COMPLETIONS, **settings):
    rows = [{"prompt": [{"role": "user", "content": "What is 6 times 7?"}]}] * len(completions)
    return ModelReward(ModelRewardSettings(**settings)).score_batch([""] * len(completions), completions, rows)


@pytest.fixture
def judge(tiny_model, tmp_path):
    from tunesmith_sdk.testing.scoring_models import drawn_head, with_head

    base = tiny_model()
    return with_head(base, tmp_path / "judge", "reward", drawn_head(base, 1)).path


@pytest.fixture
def judge_of_other_tokens(judge):
    """The same weights, and a tokenizer that numbers the letters otherwise than that of the model in training does."""
    file = judge / "tokenizer.json"
    told = json.loads(file.read_text())
    vocabulary = told["model"]["vocab"]
    letters = [name for name in vocabulary if len(name) == 1 and name.isalpha()]
    numbers = [vocabulary[name] for name in letters]
    vocabulary |= dict(zip(letters, numbers[1:] + numbers[:1], strict=True))
    file.write_text(json.dumps(told))
    return judge


def test_a_models_score_is_that_of_transformers(judge):
    assert scores(path=str(judge)) == pytest.approx(theirs(judge), rel=1e-3, abs=1e-4)


def test_a_model_of_another_tokenizer_reads_the_text_by_its_own(judge, request):
    before = scores(path=str(judge))
    other = request.getfixturevalue("judge_of_other_tokens")
    assert scores(path=str(other)) == pytest.approx(theirs(other), rel=1e-3, abs=1e-4)
    assert scores(path=str(other)) != pytest.approx(before, rel=1e-3, abs=1e-4)


def theirs(judge):
    """What transformers says."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(judge).eval(), AutoTokenizer.from_pretrained(judge)
    found = []
    for completion in COMPLETIONS:
        turns = [{"role": "user", "content": "What is 6 times 7?"}, {"role": "assistant", "content": completion}]
        ids = tokenizer(tokenizer.apply_chat_template(turns, tokenize=False), add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            found.append(float(model(ids).logits))
    return found


def test_what_is_too_long_is_unscored_and_no_zero(judge):
    short, long = scores(["No.", "word " * 400], path=str(judge), max_length=200)
    assert short is not None
    assert long is None


def test_a_folder_without_a_reward_model_is_refused(tiny_model, tmp_path):
    for path in (tmp_path, tiny_model()):
        with pytest.raises(UserError, match=r"TS-(REWARD-007|MODEL-024)"):
            scores(path=str(path))


@pytest.mark.parametrize("settings", [{}, {"path": "a", "url": "http://127.0.0.1:9/v1"}])
def test_one_model_is_named(settings):
    with pytest.raises(UserError, match="TS-REWARD-007"):
        scores(**settings)


def test_a_served_model_is_asked_under_its_name(monkeypatch):
    monkeypatch.setattr(endpoint_client, "FIRST_DELAY", 0.01)
    with pooling_server(failures=1) as (url, seen, _):
        assert scores(url=url) == [float(len(text)) for text in COMPLETIONS]
        assert {asked["model"] for asked in seen} == {"judge"}
    with pytest.raises(TunesmithError, match="TS-SERVE-020"):
        scores(url=url, model="judge", max_retries=0)


def test_a_prompt_is_the_rows_own_where_it_has_one():
    asked = [("<s>x</s>", "y", {"prompt": "x"}), ("x", "y", {}), ("", "y", {"prompt": [{"role": "system", "content": "s"}]})]
    assert [[turn["content"] for turn in conversation(*one)] for one in asked] == [["x", "y"], ["x", "y"], ["s", "y"]]


@pytest.mark.slow
def test_the_default_backend_says_what_the_folder_says(judge, tmp_path):
    from tunesmith.contracts import Artifact
    from tunesmith_sdk.testing.serving import serving
    from tunesmith_transformers.backend import TransformersBackend
    from tunesmith_transformers.settings import TransformersSettings

    (tmp_path / "server").mkdir()
    with serving(
        TransformersBackend(TransformersSettings()), Artifact("model/hf+reward", judge), tmp_path / "server", name="judge"
    ) as server:
        assert scores(url=server.url) == pytest.approx(scores(path=str(judge)), rel=1e-3, abs=1e-4)
