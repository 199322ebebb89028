from __future__ import annotations

import pytest

from tunesmith.contracts import Cancelled


def test_a_local_step_keeps_what_it_is_told(local_step):
    step = local_step(providers={"quantizer": "the provider"}, settings={"x": 1}, seed=3)
    step.metric("loss", 2.5, at=1)
    step.metric("loss", 2.0, at=2)
    step.decide("precision", "because")
    step.log("careful", "warning")
    step.ready(url="http://127.0.0.1:1/v1")
    assert step.reports.metrics == {"loss": [2.5, 2.0]}
    assert step.reports.decisions == [("precision", "because")]
    assert step.reports.logs == [("warning", "careful")]
    assert step.reports.ready.is_set()
    assert step.provider("quantizer") == "the provider"
    assert step.output.is_dir()
    assert step.work.is_dir()
    step.cancelled.set()
    with pytest.raises(Cancelled):
        step.check_cancelled()


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "mistral"])
def test_a_tiny_model_is_a_real_one_with_a_tokenizer_that_loses_no_text(tiny_model, family: str):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = tiny_model(family)
    assert tiny_model(family) == path
    tokenizer = AutoTokenizer.from_pretrained(path)
    text = "naïve 你好 🙂 <code>"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    model = AutoModelForCausalLM.from_pretrained(path)
    tokens = tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], return_tensors="pt", return_dict=True)
    assert model(**tokens).logits.shape[-1] == len(tokenizer)
