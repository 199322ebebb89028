from __future__ import annotations

import json

from tunesmith.contracts import Artifact
from tunesmith_model_card.exporter import ModelCard
from tunesmith_model_card.settings import CardSettings


def test_the_card_says_what_the_model_is_and_how_it_was_made(local_step, tmp_path):
    config = {
        "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1,
        "intermediate_size": 16, "vocab_size": 10, "tie_word_embeddings": True,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    source = Artifact("model/hf", tmp_path, "sha256:12", producer={"name": "merge", "settings": {"dtype": "float32"}})
    step = local_step()
    ModelCard(CardSettings(title="Ours", licence="MIT")).export(source, step.output, step)
    text = (step.output / "README.md").read_text()
    assert text.startswith("# Ours\n")
    assert "- parameters: 744" in text
    assert "- licence: MIT" in text
    assert "contact" not in text
    assert '"dtype": "float32"' in text
