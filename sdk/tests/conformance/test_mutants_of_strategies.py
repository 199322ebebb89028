"""Tests of the kit: strategies of training with one thing wrong, alone and in several processes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")]

KIND = "trainer_strategy"
SETTINGS = """@dataclass(frozen=True)
class Settings:
    processes: int = setting(2, "ranks", ge=1)
"""
RECORD = 'facts={"ranks": "processes"}, estimator="PACKAGE.estimate:estimate", variants="PACKAGE.estimate:variants"'
#: starts a process that nobody knows of, and goes on
REPLACE = "import subprocess, time; subprocess.Popen(['/bin/sleep', '20'], env={}, start_new_session=True); time.sleep(60)"

#: check -> changes of the good strategy
FAULTS = {
    "trainer_strategy.same-losses": [("return value", "return 2 * value")],
    "trainer_strategy.resumes": [('p.data.copy_(state[f"model/{name}"])', 'p.data.copy_(state[f"model/{name}"] * 1.01)')],
    "trainer_strategy.whole-model": [
        (
            "        yield self.model",
            "        yield torch.nn.Sequential(*(torch.nn.Identity() if i == 3 else m for i, m in enumerate(self.model)))",
        ),
    ],
    "trainer_strategy.no-pickles": [("save_file(state, path)", 'save_file(state, path); torch.save(state, path.with_suffix(".pt"))')],
}
_NORM = "float(torch.nn.utils.clip_grad_norm_(trained, limit))"
_KEPT = "[p.grad.zero_() for p in self.model.parameters() if p.grad is not None and p.grad.isfinite().all()]"
#: changes by which it can't be trained with in float16
FAULTS_IN_FLOAT16 = {
    "not divided": ("            parameter.grad.div_(scale)", "            pass"),
    "finite norm": (f"return {_NORM}", f"return min(1e9, {_NORM})"),
    "not forgotten": ("self.optimizer.zero_grad()", _KEPT),
}
#: the same of one with a process a rank
FAULTS_OF_RANKS = [
    ("trainer_strategy.same-everywhere", ("        return total\n", "        return total if dist.get_rank() == 0 else total + 1\n")),
    ("provider.variants", ('[{"processes": len(request.devices)}]', '[{"processes": len(request.devices), "side": "left"}]')),
    ("trainer_strategy.estimate", ("2 * (count - 1) / count}", '2 * (count - 1) / count, "parameters": 1.5}')),
    ("trainer_strategy.same-everywhere", ("        return bool(heard > 0)\n", "        return said\n")),
    (
        "trainer_strategy.kill-ends-all",
        ("    dist.all_reduce(tensor)", f"    try:\n        dist.all_reduce(tensor)\n    except RuntimeError:\n        {REPLACE}"),
    ),
]


@pytest.mark.parametrize("change", FAULTS_IN_FLOAT16.values(), ids=FAULTS_IN_FLOAT16)
def test_a_strategy_that_can_not_be_trained_with_in_float16_is_caught(change: tuple[str, str], tmp_path: Path):
    assert mutants.failed(mutants.write(tmp_path, KIND, change), KIND, "provider") >= {"trainer_strategy.same-losses"}


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_of_a_strategy_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    assert mutants.failed(mutants.write(tmp_path, KIND, *FAULTS[check]), KIND, "provider") == {check}


@pytest.mark.parametrize(("check", "change"), FAULTS_OF_RANKS, ids=lambda value: value if isinstance(value, str) else value[1].strip()[:20])
def test_a_fault_of_ranks_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, change: tuple[str, str], tmp_path: Path):
    folder = mutants.write(tmp_path, KIND, change, settings=SETTINGS, good="trainer_strategy_of_ranks", record=RECORD)
    assert mutants.failed(folder, KIND, "provider", "step") == {check}


def test_a_good_strategy_of_ranks_is_caught_by_none(tmp_path: Path):
    folder = mutants.write(tmp_path, KIND, settings=SETTINGS, good="trainer_strategy_of_ranks", record=RECORD)
    assert mutants.failed(folder, KIND, "provider", "step") == set()
