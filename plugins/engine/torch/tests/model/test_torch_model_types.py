"""What is known of architectures before anything is imported or fetched."""

from __future__ import annotations

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_torch.estimate import memory as estimate
from tunesmith_torch.model import model_types as known_types
from tunesmith_torch.settings import TrainSettings

CONFIG = {
    "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 320,
    "auto_map": {"AutoConfig": "configuration_x.XConfig", "AutoModelForCausalLM": "modeling_x.X"},
}  # fmt: skip


def request(**config):
    config = CONFIG | config
    return EstimateRequest(config, step_settings=fill(schema_of(TrainSettings), {"dtype": "float32"}))


def test_the_names_are_those_that_transformers_has():
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    assert known_types.known_types() >= set(CONFIG_MAPPING_NAMES)
    assert "strange" not in known_types.known_types()


def test_a_model_that_needs_code_of_its_own_is_refused_in_the_plan():
    with pytest.raises(UserError, match="TS-MODEL-023: The model of type `strange` needs code of its own") as refused:
        estimate.train(request(model_type="strange"))
    assert "auto_map" in refused.value.why


@pytest.mark.parametrize("config", [{"model_type": "phi3"}, {"model_type": "strange", "auto_map": {"AutoTokenizer": "x.T"}}])
def test_code_that_is_not_needed_is_no_reason(config):
    known_types.refuse_code(CONFIG | config)


def test_where_the_library_is_not_nothing_is_said_of_it(monkeypatch):
    monkeypatch.setattr(known_types, "known_types", frozenset)
    known_types.refuse_code(CONFIG | {"model_type": "strange"})


ENCODER, BOTH = {"model_type": "bert", "architectures": ["BertForMaskedLM"]}, {"model_type": "t5", "is_encoder_decoder": True}


@pytest.mark.parametrize(("config", "asked"), [
    (ENCODER, {}), (ENCODER, {"log_probs": 1.0, "head": 0.0}), (BOTH, {"log_probs": 0.0, "head": 0.0}),
])  # fmt: skip
def test_an_encoder_is_refused_what_it_does_not_give(config, asked):
    with pytest.raises(UserError, match="TS-TRAIN-138"):
        known_types.refuse_encoder(config, asked)


def test_an_encoder_s_embeddings_and_classes_and_a_decoder_are_not_refused():
    known_types.refuse_encoder(ENCODER, {"log_probs": 0.0, "head": 0.0})
    known_types.refuse_encoder(ENCODER, {"log_probs": 0.0, "head": 2.0}, {"trainable": 100.0})
    with pytest.raises(UserError, match="in fewer bits, without a head"):
        known_types.refuse_encoder(ENCODER, {"log_probs": 0.0, "head": 2.0}, {"quantized": 1.0})
    known_types.refuse_encoder({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, {})
    known_types.refuse_encoder({"model_type": "moonshine", "is_encoder_decoder": True, "text_config": {}}, {})
