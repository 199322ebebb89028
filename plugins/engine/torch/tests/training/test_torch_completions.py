"""What the model answers while it trains is what it would say, is told and kept, and changes nothing of what is trained."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from tunesmith.contracts import Cancelled, EstimateRequest, UserError
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_pretrain.objective import Pretraining
from tunesmith_pretrain.settings import PretrainSettings
from tunesmith_reward.objective import RewardModel
from tunesmith_reward.settings import RewardSettings
from tunesmith_sdk.testing.model_configs import llama
from tunesmith_torch.api.model import load_model
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.estimate.memory import train as estimate
from tunesmith_torch.settings import TrainSettings

PROMPTS = ["What is a plugin?", "Where do artifacts live?"]
ASKED = {"sample_prompts": PROMPTS, "sample_steps": 2, "sample_max_tokens": 6}


def lines_of(output) -> list[dict]:
    return [json.loads(line) for line in (output / "completions.jsonl").read_text(encoding="utf-8").splitlines()]


def weights(output) -> str:
    return hashlib.sha256((output / "adapter_model.safetensors").read_bytes()).hexdigest()


def test_it_says_what_transformers_generates_and_trains_to_the_same_bytes(bench, chat_rows):
    """Also with dropout, whose random numbers would be others if an answer drew some."""
    from tunesmith_lora.adapter import Lora
    from tunesmith_lora.settings import LoraSettings

    def train(settings, name):
        output, _ = bench.train(
            {"max_steps": 5} | settings, rows=chat_rows, name=name, adapter=Lora(LoraSettings(r=4, lora_alpha=8.0, lora_dropout=0.2))
        )
        return output

    plain, asked = train({}, "plain"), train(ASKED, "asked")
    assert weights(plain) == weights(asked)
    assert not (plain / "completions.jsonl").exists()
    found = lines_of(asked)
    assert [(line["step"], line["prompt"]) for line in found] == [(step, prompt) for step in (0, 2, 4, 5) for prompt in PROMPTS]
    told = [params["message"] for method, params in bench.notices if method == "$/log" and params["level"] == "notice"]
    assert [message.startswith("before training, asked 'What is a plugin?'") for message in told[:2]] == [True, False]
    assert len(told) == len(found)

    chat, model = chat_encoder(bench.base), load_model(bench.base.path)
    text = chat.template.render([{"role": "user", "content": PROMPTS[0]}], prompt=True).text
    tokens = torch.tensor([chat.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids])
    generated = model.generate(tokens, max_new_tokens=6, do_sample=False)[0, tokens.shape[1] :].tolist()
    assert found[0]["completion"] == chat.tokenizer.backend_tokenizer.decode(generated, skip_special_tokens=True).strip()


def test_a_run_that_is_resumed_has_each_answer_once(bench, chat_rows, monkeypatch):
    whole, _ = bench.train({"max_steps": 5} | ASKED, rows=chat_rows, name="whole")
    step = bench.step({"max_steps": 5, "save_steps": 1} | ASKED, rows=chat_rows, name="killed")

    from tunesmith_torch.training.loop import Loop
    from tunesmith_torch.training.train import run

    usual = Loop._step

    def killed(self, number):
        if number == 3:
            raise Cancelled("killed")
        usual(self, number)

    monkeypatch.setattr(Loop, "_step", killed)
    with pytest.raises(Cancelled):
        run(step)
    monkeypatch.setattr(Loop, "_step", usual)
    run(step)
    assert lines_of(step.output) == lines_of(whole)
    assert weights(step.output) == weights(whole)


@pytest.mark.slow
def test_preferences_and_plain_texts_are_asked_too(bench, chat_rows, preference_rows):
    output, _ = bench.train({"max_steps": 2} | ASKED, rows=preference_rows, objective=DirectPreference(PreferenceSettings()), name="pairs")
    assert len(lines_of(output)) == 4
    texts = [{"text": "A plugin is a package."}] * 8
    output, _ = bench.train({"max_steps": 2} | ASKED, rows=texts, objective=Pretraining(PretrainSettings()), name="texts")
    assert len(lines_of(output)) == 4


def test_what_can_not_answer_is_refused_by_the_plan_and_by_the_step(bench, preference_rows):
    with pytest.raises(UserError, match="trains no next token") as caught:
        bench.train(ASKED, rows=preference_rows, objective=RewardModel(RewardSettings()))
    assert caught.value.code == "TS-TRAIN-075"
    for parts, words in (
        ({"objective": {"log_probs": 0.0}}, "trains no next token"),
        ({"strategy": {"own_model": 1.0}}, "gives no likeliest tokens"),
    ):
        with pytest.raises(UserError, match=words):
            asked(parts)
    with pytest.raises(UserError, match="one of them is empty"):
        asked({}, sample_prompts=[" "])


def asked(parts, **settings):
    config = llama(layers=2, hidden=64, intermediate=128, heads=4, kv_heads=2, vocabulary=1000, positions=512)
    return estimate(EstimateRequest(config, step_settings=vars(TrainSettings(**(ASKED | settings))), parts=parts))
