"""By Megatron a run learns what it learns by one process: losses, norms, checkpoints, what is saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
SETTINGS = {"num_train_epochs": 2, "batch_size": 5, "max_tokens_per_microbatch": 60, "learning_rate": 1e-2, "dtype": "float32"}
SAVING = {"save_steps": 2, "save_time_share": 1.0}
TP, PP = {"tensor_model_parallel_size": 2}, {"pipeline_model_parallel_size": 2}
SP = TP | {"sequence_parallel": True}
EXPERTS = SP | {"expert_model_parallel_size": 2, "expert_tensor_parallel_size": 1}
CP = {"context_parallel_size": 2}
DIVIDED = {
    "tp": (TP, 2), "pp": (PP, 2), "sp": (SP, 2), "cp": (CP, 2), "dp": ({"overlap_grad_reduce": True}, 2), "tp-pp": (SP | PP, 4),
    "cp-pp": (CP | PP, 4),
}  # fmt: skip


@pytest.fixture(scope="module")
def alone(tmp_path_factory, model, launched):
    """``alone(objective)``: the folder and the report of a run by one process, made once."""
    made = {}

    def of(objective: str):
        if objective not in made:
            home = tmp_path_factory.mktemp("alone") / objective
            made[objective] = home, launched(home, model, 1, strategy="single", objective=objective, adapter="full", settings=SETTINGS)[0]
        return made[objective]

    return of


def rows_of(output: Path) -> list[tuple[int, int, list[int]]]:
    """(step, epoch, rows) of the ledger of samples: their losses differ in the last digits from one division to another."""
    lines = map(json.loads, (output / "samples.jsonl").read_text().splitlines())
    return [(line["step"], line["epoch"], line["rows"]) for line in lines]


def close(ours: Path, theirs: Path, rtol: float, atol: float) -> None:
    one, other = (load_file(home / "output" / "model.safetensors") for home in (ours, theirs))
    assert one.keys() == other.keys()
    for name, value in other.items():
        torch.testing.assert_close(one[name], value, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("how", "objective"),
    [("tp", "sft"), ("pp", "sft"), ("sp", "dpo"), ("pp", "dpo"), ("dp", "sft"), ("tp-pp", "sft"), ("cp", "sft"), ("cp", "dpo"),
     ("cp-pp", "sft")],
)  # fmt: skip
def test_a_divided_model_learns_what_one_process_learns(tmp_path, model, alone, by_megatron, how, objective):
    home, one = alone(objective)
    settings, processes = DIVIDED[how]
    ranks = by_megatron(tmp_path, model, processes, objective=objective, strategy_settings=settings, settings=SETTINGS)
    told = {name: value for name, value in one["metrics"].items() if not name.startswith("entropy@")}  # it gives log-probabilities alone
    for rank in ranks.values():
        assert rank["metrics"] == {name: pytest.approx(value, rel=2e-4, abs=1e-5) for name, value in told.items()}
    close(tmp_path, home, 1e-2, 2e-4)
    assert rows_of(tmp_path / "output") == rows_of(home / "output")
    begun = load_file(Path(model) / "model.safetensors")
    saved = load_file(tmp_path / "output" / "model.safetensors")
    for name, value in saved.items():
        assert value.isfinite().all(), name
        assert not torch.equal(value, begun[name]), name


@pytest.mark.parametrize("how", ["tp", "pp"])
def test_each_rank_holds_its_part(tmp_path, model, alone, by_megatron, how):
    _, one = alone("sft")
    settings, processes = DIVIDED[how]
    ranks = by_megatron(tmp_path, model, processes, strategy_settings=settings, settings=SETTINGS | {"max_steps": 1})
    for rank in ranks.values():
        assert rank["bytes"]["parameters"] == pytest.approx(one["bytes"]["parameters"] / 2, rel=0.02)
        assert rank["bytes"]["optimizer"] == pytest.approx(one["bytes"]["optimizer"] / 2, rel=0.02)


@pytest.mark.parametrize("how", ["sp", "pp"])
def test_a_divided_model_validates_as_one_does(tmp_path, model, launched, by_megatron, how):
    settings = SETTINGS | {"num_train_epochs": 4, "batch_size": 4, "validation_split": 0.3, "eval_steps": 2}
    one = launched(tmp_path / "one", model, 1, strategy="single", adapter="full", settings=settings)[0]
    divided, processes = DIVIDED[how]
    ranks = by_megatron(tmp_path / "divided", model, processes, strategy_settings=divided, settings=settings)
    measured = {name: value for name, value in one["metrics"].items() if name.startswith("validation_loss")}
    assert len(measured) == 4
    for rank in ranks.values():
        assert {name: rank["metrics"][name] for name in measured} == pytest.approx(measured, rel=2e-4)
        assert rank["result"] == pytest.approx(one["result"], rel=2e-4)


@pytest.mark.parametrize("how", ["sp", "pp"])
def test_a_run_that_was_broken_off_ends_bit_for_bit_where_it_would_have(tmp_path, model, by_megatron, how):
    divided, processes = DIVIDED[how]
    settings = SETTINGS | {"num_train_epochs": 3} | SAVING
    for name in ("whole", "broken"):
        by_megatron(tmp_path / name, model, processes, strategy_settings=divided, settings=settings)
    for path in (tmp_path / "broken" / "output").iterdir():
        path.unlink()
    # The second run starts from the last of these.
    assert len(list((tmp_path / "broken" / "work" / "checkpoints").glob("step-*"))) == 2
    by_megatron(tmp_path / "broken", model, processes, strategy_settings=divided, settings=settings)
    one, other = ({path.name: path.read_bytes() for path in (tmp_path / name / "output").iterdir()} for name in ("whole", "broken"))
    assert one == other


def test_a_model_with_experts_that_was_broken_off_ends_bit_for_bit_where_it_would_have(tmp_path, by_megatron):
    """With the ledger of a run that nothing happened to; and another division goes on from its checkpoint."""
    moe = tiny_model(tmp_path / "model", family="qwen3_moe", num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32)
    settings = SETTINGS | {"num_train_epochs": 3} | SAVING
    for name in ("whole", "broken"):
        by_megatron(tmp_path / name, moe, 2, strategy_settings=EXPERTS, settings=settings)
    whole = {path.name: path.read_bytes() for path in (tmp_path / "whole" / "output").iterdir()}
    for divided in (EXPERTS, PP):
        for path in (tmp_path / "broken" / "output").iterdir():
            path.unlink()
        assert len(list((tmp_path / "broken" / "work" / "checkpoints").glob("step-*"))) == 2
        by_megatron(tmp_path / "broken", moe, 2, strategy_settings=divided, settings=settings)
        found = {path.name: path.read_bytes() for path in (tmp_path / "broken" / "output").iterdir()}
        assert rows_of(tmp_path / "broken" / "output") == rows_of(tmp_path / "whole" / "output")
        assert divided is PP or found == whole
    close(tmp_path / "broken", tmp_path / "whole", 1e-2, 2e-4)


@pytest.mark.parametrize("relay", [("tp", "single", "pp", "fsdp"), ("fsdp", "sp", "single", "cp")], ids="-".join)
def test_a_run_goes_on_by_another_division_and_by_other_strategies(tmp_path, model, launched, by_megatron, relay):
    settings = SETTINGS | SAVING | {"lr_scheduler_type": "constant", "warmup_ratio": 0.0, "num_train_epochs": 3}
    whole = launched(tmp_path / "whole", model, 1, strategy="single", adapter="full", settings=settings | {"max_steps": 8})[0]
    home = tmp_path / "moved"
    for steps, how in zip((2, 4, 6, 8), relay, strict=True):
        if how in DIVIDED:
            divided, processes = DIVIDED[how]
            by_megatron(home, model, processes, strategy_settings=divided, settings=settings | {"max_steps": steps})
        else:
            processes = 1 if how == "single" else 2
            launched(home, model, processes, strategy=how, adapter="full", settings=settings | {"max_steps": steps})
        lines = (home / "output" / "training_log.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == list(range(1, steps + 1))
    moved = {f"loss@{point['step']}": point["loss"] for point in map(json.loads, lines)}
    assert moved == {name: pytest.approx(whole["metrics"][name], rel=5e-4) for name in moved}
    close(home, tmp_path / "whole", 2e-2, 5e-4)


@pytest.mark.parametrize("divided", [SP, CP], ids=["sp", "cp"])
def test_activations_computed_twice_change_no_loss(tmp_path, model, alone, by_megatron, divided):
    _, one = alone("sft")
    again = SETTINGS | {"gradient_checkpointing": True}
    ranks = by_megatron(tmp_path, model, 2, strategy_settings=divided, settings=again)
    assert ranks[0]["metrics"] == {name: pytest.approx(value, rel=2e-4, abs=1e-5) for name, value in one["metrics"].items()}


@pytest.mark.parametrize("how", ["tp", "pp"])
def test_in_float16_a_divided_model_learns_what_one_learns_and_computes_again_what_overflowed(tmp_path, model, launched, by_megatron, how):
    spec = {"settings": SETTINGS | {"dtype": "float16", "max_steps": 3}, "first_scale": 2.0**30}
    one = launched(tmp_path / "one", model, 1, strategy="single", adapter="full", **spec)[0]
    divided, processes = DIVIDED[how]
    ranks = by_megatron(tmp_path / "divided", model, processes, strategy_settings=divided, **spec)
    assert any("overflowed in float16" in line for line in ranks[0]["said"])
    for rank in ranks.values():
        for name, value in one["metrics"].items():
            assert rank["metrics"][name] == pytest.approx(value, rel=3e-2, abs=1e-4), name


@pytest.mark.parametrize("how", ["sp", "pp", "cp"])
def test_in_bfloat16_a_divided_model_learns_nearly_what_one_process_learns(tmp_path, model, launched, by_megatron, how):
    """Megatron rounds the residual stream as well, which the others keep in float32."""
    settings = SETTINGS | {"dtype": "bfloat16", "num_train_epochs": 1}
    one = launched(tmp_path / "one", model, 1, strategy="single", adapter="full", settings=settings)[0]
    divided, processes = DIVIDED[how]
    ranks = by_megatron(tmp_path / "divided", model, processes, strategy_settings=divided, settings=settings)
    for name, value in one["metrics"].items():
        if name.startswith("loss@"):
            assert ranks[0]["metrics"][name] == pytest.approx(value, rel=2e-2), name
    close(tmp_path / "divided", tmp_path / "one", 0.1, 2e-2)


def test_an_adapter_that_leaves_weights_as_they_are_is_refused(tmp_path, model, by_megatron, capfd):
    with pytest.raises(AssertionError):
        by_megatron(tmp_path, model, 2, adapter="lora", strategy_settings=TP, settings=SETTINGS)
    assert "TS-TRAIN-085" in capfd.readouterr().err
