"""Whatever the strategy, a run learns the same: losses, norms and what is saved are those of one process."""

from __future__ import annotations

import gzip
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

ZERO = pytest.mark.skipif(find_spec("deepspeed") is None, reason="DeepSpeed is in an environment of its own: see test_deepspeed_run.py")
STRATEGIES = ("ddp", "fsdp", *(pytest.param(f"zero-{stage}", marks=ZERO) for stage in (1, 2, 3)))
#: 11 rows in batches of 5: the last batch has one row, so that one rank has nothing of its own to do
SETTINGS = {"num_train_epochs": 2, "batch_size": 5, "max_tokens_per_microbatch": 60, "learning_rate": 1e-2, "dtype": "float32"}
SAVING = {"save_steps": 2, "save_time_share": 1.0}
WEIGHTS = {"lora": "adapter_model.safetensors", "full": "model.safetensors"}


def rows_of(output: Path) -> list[tuple[int, int, list[int]]]:
    """(step, epoch, rows) of the ledger of samples: their losses differ in the last digits from one division to another."""
    lines = map(json.loads, (output / "samples.jsonl").read_text().splitlines())
    return [(line["step"], line["epoch"], line["rows"]) for line in lines]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "output").iterdir()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory, model, launched):
    """``alone(objective, adapter)``: the folder and the report of a run by one process, made once."""
    made = {}

    def of(objective: str, adapter: str):
        if (objective, adapter) not in made:
            home = tmp_path_factory.mktemp("alone") / f"{objective}-{adapter}"
            report = launched(home, model, 1, strategy="single", objective=objective, adapter=adapter, settings=SETTINGS)[0]
            made[objective, adapter] = home, report
        return made[objective, adapter]

    return of


@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("objective", ["sft", "dpo"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_processes_learn_what_one_learns(tmp_path, model, alone, strategy, objective, adapter, launched):
    home, one = alone(objective, adapter)
    two = launched(tmp_path, model, 2, strategy=strategy, objective=objective, adapter=adapter, settings=SETTINGS)
    assert two[0]["metrics"] == two[1]["metrics"]
    assert one["metrics"].keys() == two[0]["metrics"].keys()
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-4, abs=1e-5), name
    ours, theirs = (load_file(folder / "output" / WEIGHTS[adapter]) for folder in (tmp_path, home))
    begun = load_file(Path(model) / "model.safetensors")
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-2, atol=2e-4)
        assert ours[name].isfinite().all(), name
        assert ours[name].any(), name
        assert name not in begun or not torch.equal(ours[name], begun[name]), name


LENGTHS = [{"length": {"at_least": 4, "at_most": 12, "unit": "characters"}}]
TURNS = {  # an untrained model hardly ever ends an answer by itself
    "environment": {"guess-number": {"highest": 4}}, "max_turns": 2, "max_completion_length": 60, "stop": list("aeiouAEIOU0123456789"),
}  # fmt: skip
ANSWERS = {"rewards": LENGTHS, "max_completion_length": 6}
#: what learns from its own completions: its objective and settings
FROM_EXPERIENCE = {
    "grpo": ("grpo", {**ANSWERS, "num_generations": 3, "num_iterations": 2, "beta": 0.1, "max_resamplings": 1}),
    "grpo-ahead": ("grpo", {**ANSWERS, "num_generations": 3, "num_iterations": 2, "one_step_off_policy": True}),
    "grpo-episodes-ahead": ("grpo", {**TURNS, "num_generations": 3, "one_step_off_policy": True}),
    "ppo": ("ppo", {**ANSWERS, "num_ppo_epochs": 2, "adap_kl_ctrl": True, "whiten_rewards": True}),
    "online-dpo": ("online-dpo", {**ANSWERS, "num_generations": 4}),
    "online-dpo-episodes": ("online-dpo", {**TURNS, "rewards": LENGTHS, "num_generations": 3}),
}


@pytest.mark.parametrize("case", FROM_EXPERIENCE)
def test_two_processes_learn_from_completions_what_one_learns(tmp_path, model, case, launched):
    objective, settings = FROM_EXPERIENCE[case]
    spec = {"objective": objective, "objective_settings": settings, "settings": {**SETTINGS, "num_train_epochs": 1}}
    one = launched(tmp_path / "one", model, 1, strategy="single", **spec)[0]
    two = launched(tmp_path / "two", model, 2, strategy="ddp", **spec)
    assert one["metrics"].keys() == two[0]["metrics"].keys()
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-4, abs=1e-5), name
    assert rows_of(tmp_path / "one" / "output") == rows_of(tmp_path / "two" / "output")
    ours, theirs = ([(line["row"], line["completion"], line["reward"]) for line in rollouts(tmp_path / name)] for name in ("two", "one"))
    assert ours == theirs
    ours, theirs = (load_file(tmp_path / name / "output" / WEIGHTS["lora"]) for name in ("two", "one"))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-2, atol=2e-4)
    assert not list((tmp_path / "two" / "work" / "experience").iterdir()), "what ranks told one another is left behind"


def rollouts(folder: Path) -> list[dict]:
    return [json.loads(line) for line in gzip.decompress((folder / "output" / "rollouts.jsonl.gz").read_bytes()).splitlines()]


#: losses that depend on the whole batch, or on all batches so far
OF_THE_BATCH = {
    "kto": ("kto", {"desirable_weight": 1.5}), "bco_pair": ("dpo", {"loss_type": ["sigmoid", "bco_pair"]}),
    "bco": ("kto", {"loss_type": "bco"}), "aot": ("dpo", {"loss_type": "aot"}), "aot_unpaired": ("dpo", {"loss_type": "aot_unpaired"}),
}  # fmt: skip


@pytest.mark.parametrize("loss", OF_THE_BATCH)
def test_a_loss_of_the_whole_batch_is_the_same_for_two_processes(tmp_path, model, loss, launched):
    """Each with several micro-batches; the certificate of the first batches was given by both."""
    objective, settings = OF_THE_BATCH[loss]
    spec = {"objective": objective, "objective_settings": settings, "settings": SETTINGS}
    one = launched(tmp_path / "one", model, 1, strategy="single", **spec)[0]
    two = launched(tmp_path / "two", model, 2, strategy="ddp", **spec)
    assert two[0]["metrics"] == two[1]["metrics"]
    assert one["metrics"].keys() == two[0]["metrics"].keys()
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-4, abs=1e-5), name
    for report in (one, two[0]):
        assert any("loss equal to its formula" in line for line in report["said"])
    ours, theirs = (load_file(tmp_path / count / "output" / WEIGHTS["lora"]) for count in ("two", "one"))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-2, atol=2e-4)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_reference_that_is_computed_once_and_answers_while_training_change_nothing(tmp_path, model, strategy, launched):
    """Two processes compute a share each, and answer together; the second run finds the first one's."""
    spec = {"objective": "kto", "settings": SETTINGS}
    one = launched(tmp_path / "one", model, 1, strategy="single", **spec)[0]
    asked = {"precompute_ref_log_probs": True, "sample_prompts": ["What is it?"], "sample_steps": 2, "sample_max_tokens": 3}
    two = launched(tmp_path / "two", model, 2, strategy=strategy, **(spec | {"settings": SETTINGS | asked}))
    assert two[0]["metrics"] == two[1]["metrics"]
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-4, abs=1e-5), name
    assert any("computed once" in line for line in two[0]["said"])
    assert len((tmp_path / "two" / "output" / "completions.jsonl").read_text().splitlines()) == 4
    ours, theirs = (load_file(tmp_path / count / "output" / WEIGHTS["lora"]) for count in ("two", "one"))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-2, atol=2e-4)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_in_float16_two_processes_learn_what_one_learns_and_compute_again_what_overflowed(tmp_path, model, strategy, launched):
    spec = {"adapter": "full", "settings": SETTINGS | {"dtype": "float16", "max_steps": 3}, "first_scale": 2.0**30}
    one = launched(tmp_path / "one", model, 1, strategy="single", **spec)[0]
    two = launched(tmp_path / "two", model, 2, strategy=strategy, **spec)
    assert two[0]["metrics"] == two[1]["metrics"]
    assert any("overflowed in float16" in line for line in two[0]["said"])
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-2, abs=1e-4), name


def test_each_rank_of_fsdp_holds_its_piece_of_the_parameters_and_of_the_optimizers_state(tmp_path, model, alone, launched):
    _, one = alone("sft", "full")
    two = launched(tmp_path, model, 2, strategy="fsdp", adapter="full", settings=SETTINGS | {"max_steps": 1})
    for rank in two.values():
        assert rank["bytes"]["parameters"] == pytest.approx(one["bytes"]["parameters"] / 2, rel=0.01)
        assert rank["bytes"]["optimizer"] == pytest.approx(one["bytes"]["optimizer"] / 2, rel=0.01)
    assert not any("loads the whole model" in line for line in two[1]["said"])


@pytest.mark.parametrize(
    "settings", [{"reshard_after_forward": False}, {"cpu_offload": True}, {"shard_size": 1}], ids=["zero-2", "offload", "replicated"]
)
def test_how_fsdp_divides_changes_no_loss(tmp_path, model, alone, settings, launched):
    _, one = alone("sft", "lora")
    two = launched(tmp_path, model, 2, strategy="fsdp", strategy_settings=settings, settings=SETTINGS)
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-4, abs=1e-5), name


def test_a_start_that_follows_from_the_matrices_is_the_same_in_pieces(tmp_path, model, launched):
    spec = {"settings": SETTINGS, "adapter_settings": {"init_lora_weights": "pissa"}}
    one = launched(tmp_path / "one", model, 1, strategy="single", **spec)[0]
    two = launched(tmp_path / "two", model, 2, strategy="fsdp", **spec)[0]
    assert two["metrics"] == {name: pytest.approx(value, rel=2e-4, abs=1e-5) for name, value in one["metrics"].items()}


def test_a_start_that_follows_from_the_data_is_refused_in_pieces(tmp_path, model, launched, capfd):
    with pytest.raises(AssertionError):
        launched(tmp_path, model, 2, strategy="fsdp", settings=SETTINGS, adapter_settings={"init_lora_weights": "eva"})
    assert "TS-TRAIN-073" in capfd.readouterr().err


@pytest.mark.parametrize("strategy", ["fsdp", pytest.param("zero-3", marks=ZERO)])
def test_frozen_values_that_a_reference_needs_whole_are_refused_in_pieces(tmp_path, model, launched, capfd, strategy):
    with pytest.raises(AssertionError):
        launched(tmp_path, model, 2, strategy=strategy, objective="dpo", adapter="freeze", settings=SETTINGS)
    assert "TS-TRAIN-073" in capfd.readouterr().err
    assert not [*(tmp_path / "output").iterdir()]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_processes_validate_as_one_does(tmp_path, model, strategy, launched):
    settings = SETTINGS | {"num_train_epochs": 4, "batch_size": 4, "validation_split": 0.3, "eval_steps": 2}
    one = launched(tmp_path / "one", model, 1, strategy="single", settings=settings)[0]
    two = launched(tmp_path / "two", model, 2, strategy=strategy, settings=settings)
    assert two[0]["metrics"] == two[1]["metrics"]
    measured = {name: value for name, value in one["metrics"].items() if name.startswith("validation_loss")}
    assert len(measured) == 4
    assert {name: two[0]["metrics"][name] for name in measured} == pytest.approx(measured, rel=2e-4)
    assert two[0]["result"] == pytest.approx(one["result"], rel=1e-4)


@pytest.mark.parametrize("more", [{}, {"validation_split": 0.3, "eval_steps": 2}], ids=["plain", "validated"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_two_processes_resume_bit_equal(tmp_path, model, strategy, more, launched):
    settings = SETTINGS | {"num_train_epochs": 3} | SAVING | more
    launched(tmp_path / "whole", model, 2, strategy=strategy, settings=settings)
    launched(tmp_path / "broken", model, 2, strategy=strategy, settings=settings)
    wanted = files(tmp_path / "whole")
    for path in (tmp_path / "broken" / "output").iterdir():
        path.unlink()
    assert len(list((tmp_path / "broken" / "work" / "checkpoints").glob("step-*"))) == 2  # the second run starts from the last of them
    launched(tmp_path / "broken", model, 2, strategy=strategy, settings=settings)
    assert files(tmp_path / "broken") == wanted


@ZERO
@pytest.mark.parametrize(
    ("stage", "more"),
    [(1, {"offload_optimizer": "cpu"}), (2, {"offload_optimizer": "cpu"}), (2, {"overlap_comm": True}),
     (3, {"offload_optimizer": "cpu", "offload_param": "cpu"}), (3, {"stage3_param_persistence_threshold": 0}),
     (3, {"zero_hpz_partition_size": 2}), (2, {"config": {"zero_optimization": {"round_robin_gradients": True}}})],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)  # fmt: skip
def test_how_zero_divides_and_where_it_keeps_things_changes_no_loss(tmp_path, model, alone, stage, more, launched):
    _, one = alone("sft", "full")
    two = launched(tmp_path, model, 2, strategy=f"zero-{stage}", strategy_settings=more, adapter="full", settings=SETTINGS | SAVING)
    for name, value in one["metrics"].items():
        assert two[0]["metrics"][name] == pytest.approx(value, rel=2e-4, abs=1e-5), name


@ZERO
def test_a_disk_is_not_offloaded_to_where_the_operator_cannot_be_compiled(tmp_path, model, launched, capfd):
    """Nor is anything computed: no compiler is found."""
    disk = {"offload_optimizer": "nvme", "offload_param": "nvme", "nvme_path": str(tmp_path / "disk")}
    with pytest.raises(AssertionError):
        launched(
            tmp_path, model, 2, strategy="zero-3", strategy_settings=disk, settings=SETTINGS, variables={"PATH": str(tmp_path / "nothing")}
        )
    assert "TS-TRAIN-069" in capfd.readouterr().err
    assert not [*(tmp_path / "output").iterdir()]


@ZERO
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_each_rank_of_zero_holds_its_piece(tmp_path, model, alone, stage, launched):
    _, one = alone("sft", "full")
    two = launched(tmp_path, model, 2, strategy=f"zero-{stage}", adapter="full", settings=SETTINGS | {"max_steps": 1})
    for rank in two.values():
        assert rank["bytes"]["parameters"] == pytest.approx(one["bytes"]["parameters"] / (2 if stage == 3 else 1), rel=0.01)
        assert rank["bytes"]["optimizer"] == pytest.approx(one["bytes"]["optimizer"] / 2, rel=0.01)
    assert any("s JSON: {" in line and f'"stage": {stage}' in line for line in two[0]["said"])
    assert not any("loads the whole model" in line for line in two[1]["said"])


@pytest.mark.parametrize(
    "relay",
    [(("ddp", 2), ("single", 1), ("fsdp", 2), ("single", 1)),
     pytest.param((("zero-2", 2), ("fsdp", 2), ("zero-3", 2), ("single", 1)), marks=ZERO),
     pytest.param((("zero-3", 3), ("zero-1", 2), ("single", 1), ("zero-3", 2)), marks=ZERO)],
    ids=lambda relay: "-".join(name.replace("-", "") for name, _ in relay),
)  # fmt: skip
@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_a_run_goes_on_by_another_strategy_and_another_number_of_processes(tmp_path, model, adapter, relay, launched):
    settings = SETTINGS | SAVING | {"lr_scheduler_type": "constant", "warmup_ratio": 0.0, "num_train_epochs": 3}
    whole = launched(tmp_path / "whole", model, 1, strategy="single", adapter=adapter, settings=settings | {"max_steps": 8})[0]
    home = tmp_path / "moved"
    for steps, (strategy, processes) in zip((2, 4, 6, 8), relay, strict=True):
        launched(home, model, processes, strategy=strategy, adapter=adapter, settings=settings | {"max_steps": steps})
        lines = (home / "output" / "training_log.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == list(range(1, steps + 1))
    assert rows_of(home / "output") == rows_of(tmp_path / "whole" / "output")
    moved = {f"loss@{point['step']}": point["loss"] for point in map(json.loads, lines)}
    assert moved == {name: pytest.approx(whole["metrics"][name], rel=5e-4) for name in moved}
    ours, theirs = (load_file(tmp_path / name / "output" / WEIGHTS[adapter]) for name in ("moved", "whole"))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=2e-2, atol=5e-4)
