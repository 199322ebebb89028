"""What `strategy: auto` takes for models of real sizes on machines of real sizes, without weights: kept in auto_table.json, and held
against what the libraries' own documents say. Not verified on hardware.

After a change that is meant: ``python tests/strategies/test_auto_table.py`` writes the table anew.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tunesmith.planning.pipeline.step_syntax import ProviderSpec
from tunesmith_cli.estimate.step import StepEstimate
from tunesmith_cli.options.device_catalog import card

sys.path.append(str(Path(__file__).parents[1] / "cases"))

from estimated_models import NOTHING, estimator, session, shape, taken

TABLE = Path(__file__).with_name("auto_table.json")
MODELS = (
    "qwen3-0.6b", "qwen3-4b", "qwen3-8b", "qwen3-32b", "qwen2.5-72b", "llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b", "qwen3-30b-a3b",
    "qwen3-235b-a22b", "deepseek-v3",
)  # fmt: skip
MACHINES = ("1xT4", "1xA10", "2xA100-80", "8xH100", "64xH100", "8x910B")
METHODS = ("full", "lora", "qlora")
USUAL = {"gradient_checkpointing": True, "batch_size": 64, "max_length": 2048, "max_tokens_per_microbatch": 2048}


@cache
def seen(model: str, machine: str, method: str, strategy: str = "auto", **settings: Any) -> StepEstimate:
    opened, _ = session()
    wanted = ProviderSpec("trainer_strategy", strategy, settings, ("strategy", strategy))
    slots = {
        "objective": ProviderSpec("objective", "sft"), "adapter": ProviderSpec("adapter", method, {}, ("adapter",)), "strategy": wanted,
        "optimizer": ProviderSpec("optimizer", "auto"),
    }  # fmt: skip
    return estimator(model, *card(opened.registry, machine)).of(opened.registry.verb("train"), USUAL, slots)


def cell(model: str, machine: str, method: str) -> str:
    """The way taken, or that nothing fits."""
    return taken(seen(model, machine, method), "strategy")


def written() -> dict[str, dict[str, list[str]]]:
    return {model: {machine: [cell(model, machine, method) for method in METHODS] for machine in MACHINES} for model in MODELS}


@pytest.mark.parametrize("model", MODELS)
def test_auto_takes_what_the_table_says(model):
    told = json.loads(TABLE.read_text())[model]
    assert {machine: [cell(model, machine, method) for method in METHODS] for machine in MACHINES} == told


def states(model: str, machine: str, strategy: str, **settings: Any) -> float:
    """Bytes of a rank's device for parameters, gradients and the optimizer's state, for full fine-tuning; copies for one pass aside."""
    estimate = seen(model, machine, "full", strategy, **settings).estimate
    assert estimate is not None
    return sum(estimate.terms.get(name, 0.0) for name in ("weights", "gradients", "optimizer", "master copy"))


#: of deepspeed/runtime/zero/stage_1_and_2.py, estimate_zero2_model_states_mem_needs, in DeepSpeed 0.19.8: bytes of a parameter on a device
ZERO_2, ZERO_2_DIVIDED = 2, 18
ZERO_3_DIVIDED = 18  #: of stage3.py, estimate_zero3_model_states_mem_needs; with 4 bytes a parameter of the largest layer on top
ADAM = 16  #: of accelerate's `estimate-memory`: training with Adam takes four times a float32 model


@pytest.mark.parametrize("model", ["qwen3-8b", "llama-3.1-70b", "mixtral-8x7b", "deepseek-v3"])
@pytest.mark.parametrize(("machine", "count"), [("2xA100-80", 2), ("8xH100", 8), ("64xH100", 64)])
def test_full_fine_tuning_holds_what_the_libraries_reckon_with(model, machine, count):
    """Ours keeps parameters and gradients in float32, where DeepSpeed's formula has 16-bit copies of both beside float32 ones."""
    parameters = shape(model).parameters
    single = states(model, machine, "single") / parameters
    assert single == pytest.approx(ADAM, rel=0.1)
    divided = ZERO_3_DIVIDED / count
    assert states(model, machine, "fsdp", num_processes=count) / parameters == pytest.approx(divided, rel=0.2)
    assert states(model, machine, "deepspeed", num_processes=count, stage=3) / parameters == pytest.approx(divided, rel=0.2)
    # 4 bytes of parameters that are not divided, where DeepSpeed has 2
    undivided = 4 + (ZERO_2_DIVIDED - 2) / count
    assert states(model, machine, "deepspeed", num_processes=count, stage=2) / parameters == pytest.approx(undivided, rel=0.2)


@pytest.mark.parametrize("model", ["qwen3-8b", "llama-3.1-70b"])
@pytest.mark.parametrize(("stage", "more", "each"), [(2, {}, 16), (3, {"offload_param": "cpu"}, 18)])
def test_a_host_holds_what_deepspeed_reckons_with(model, stage, more, each):
    """`cpu_mem` of the same functions, with their factor for buffers; ours has no 16-bit gradients beside."""
    estimate = seen(model, "8xH100", "full", "deepspeed", num_processes=8, stage=stage, offload_optimizer="cpu", **more).estimate
    assert estimate is not None
    assert estimate.host == pytest.approx(shape(model).parameters * each * 1.5 / 8, rel=0.2)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("machine", "count"), [("1xT4", 1), ("1xA10", 1), ("2xA100-80", 2), ("8xH100", 8), ("64xH100", 64), ("8x910B", 8)])
def test_full_fine_tuning_without_offload_is_taken_only_where_divided_states_fit(model, machine, count):
    """DeepSpeed's formula for stage 3, the least that any of them needs, 16 of its 18 bytes: ours has no 16-bit gradients beside."""
    taken = cell(model, machine, "full")
    if taken != NOTHING and "cpu" not in taken.lower():
        opened, _ = session()
        assert 16 * shape(model).parameters / count < card(opened.registry, machine)[1][0].memory


#: (model, machine, method, whether it fits, source)
DOCUMENTED = [
    ("llama-3.1-8b", "8xH100", "full", True, "torchtitan's benchmarks train Llama 3.1 8B by FSDP on 8 H100"),
    ("llama-3.1-70b", "64xH100", "full", True, "torchtitan's docs/performance.md trains Llama 3 70B by FSDP2 on 64 A100 of 80 GB"),
    ("llama-3.1-70b", "2xA100-80", "lora", True, "Hugging Face, blog/llama31: LoRA of 70B takes 160 GB"),
    ("llama-3.1-8b", "1xA10", "lora", True, "Hugging Face, blog/llama31: LoRA of 8B takes 16 GB"),
    ("llama-3.1-8b", "1xT4", "qlora", True, "Hugging Face, blog/llama31: QLoRA of 8B takes 6 GB"),
    ("llama-3.1-70b", "1xA10", "qlora", False, "Hugging Face, blog/llama31: QLoRA of 70B takes 48 GB"),
    ("llama-3.1-8b", "2xA100-80", "full", True, "Hugging Face, blog/llama31: full fine-tuning of 8B takes 60 GB"),
    ("llama-3.1-8b", "1xT4", "full", False, "ZeRO-3 with offload: 27 bytes a parameter of the host are 217 GB, and such a host has 52"),
    ("deepseek-v3", "64xH100", "full", False, "ZeRO-3: 18 bytes for each of 671 billion parameters are 12 TB, and 64 cards have 5"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "machine", "method", "fits", "source"), DOCUMENTED)
def test_what_fits_is_what_others_document(model, machine, method, fits, source):
    assert (cell(model, machine, method) != NOTHING) is fits, source


def test_more_and_larger_cards_never_fit_less():
    order = [("1xT4", "1xA10"), ("1xA10", "2xA100-80"), ("8xH100", "64xH100")]
    for model in MODELS:
        for less, more in order:
            for method in METHODS:
                assert cell(model, less, method) == NOTHING or cell(model, more, method) != NOTHING, (model, less, more, method)


def test_every_way_that_was_not_taken_has_a_reason_and_those_that_fit_are_slower_or_less_simple():
    for machine in ("2xA100-80", "64xH100"):
        for method in METHODS:
            found = seen("qwen3-32b", machine, method)
            taken = [one for one in found.alternatives if one.taken]
            assert len(taken) == 1
            assert all(one.verdict for one in found.alternatives)
            if found.fits:
                fastest = min(one.seconds for one in found.alternatives if one.verdict.startswith(("it fits", "the fastest", "within")))
                assert taken[0].seconds <= 1.1 * fastest


if __name__ == "__main__":
    rows = ",\n".join(
        f" {json.dumps(model)}: {{\n" + ",\n".join(f"  {json.dumps(at)}: {json.dumps(cells)}" for at, cells in machines.items()) + "\n }"
        for model, machines in written().items()
    )
    TABLE.write_text("{\n" + rows + "\n}\n")
    sys.exit(0)
