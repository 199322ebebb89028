"""The self-test, on the processor and on a fake device (see `fake_device`); what is wrong on purpose is found, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: of what cases are made that a fault may touch: the others would only take time
SOME = ("linear", "output layer", "softmax", "embedding", "rms norm", "layer norm", "attention", "sort")
#: run in a process of its own: a device is made known to torch once in a process, and stays
PROGRAM = """
import json, os, sys
import torch
import fake_device
from tunesmith.contracts import Device
from tunesmith_devices import self_test, with_outcome

fault, calls = "", [0]

def spoil(name, result):
    if fault == "products of nine rows" and name.startswith("aten::mm") and result.shape[0] >= 9:
        return result * 1.05
    if fault == "gradients now and then" and "layer_norm_backward" in name:
        calls[0] += 1
        if calls[0] % 3 == 0:
            return tuple(part * float("nan") for part in result)
    if fault == "bfloat16 softmax" and "softmax" in name and result.dtype == torch.bfloat16:
        return torch.zeros_like(result)
    if fault == "sorting" and "sort" in name:
        raise NotImplementedError("no such kernel")
    return result

fake_device.start(spoil)
device, every, found = Device("beads", 1000, 500, 1, ("float32", "bfloat16")), self_test.OPERATORS, {}
for where, fault in json.load(sys.stdin):
    os.environ["TUNESMITH_CACHE"] = os.path.join(sys.argv[1], where, fault)
    self_test.OPERATORS = {name: one for name, one in every.items() if not fault or name in sys.argv[2:]}
    cases = list(self_test.run("abacus", where, [device]))
    (left,) = with_outcome("abacus", [device])
    wrong = [[case["dtype"], case["operator"], case["shape"], case["why"]] for case in cases if not case["passed"]]
    found[where + fault] = {"cases": len(cases), "wrong": wrong, "dtypes": left.dtypes, "usable": left.usable, "remarks": left.remarks}
print(json.dumps(found))
"""
CASES = 76
FAULTS = ("products of nine rows", "gradients now and then", "bfloat16 softmax", "sorting")


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """By device and fault, what the self-test found."""
    asked = [("cpu", ""), *(("faketpu", fault) for fault in ("", *FAULTS))]
    environment = {"PYTHONPATH": str(HERE), "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path_factory.mktemp("cache")), *SOME],
        env=environment, input=json.dumps(asked), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["cpu", "faketpu"])
def test_a_device_that_is_right_passes_every_case(tried, where):
    found = tried[where]
    assert (found["wrong"], found["cases"], found["dtypes"]) == ([], CASES, ["float32", "bfloat16"])
    assert (found["usable"], found["remarks"]) == (True, [])


@pytest.mark.slow
def test_products_that_are_wrong_from_nine_rows_on_are_found_and_nothing_else(tried):
    found = tried["faketpuproducts of nine rows"]
    assert not found["usable"]
    assert "nothing is computed on it" in " ".join(found["remarks"])
    wrong = {(operator, shape) for dtype, operator, shape, _ in found["wrong"] if dtype == "float32"}
    assert {("linear", "nine rows"), ("output layer", "nine rows, 32003 words")} <= wrong
    assert not {operator for operator, _ in wrong} & {"softmax", "embedding", "rms norm", "layer norm", "sort"}


@pytest.mark.slow
def test_gradients_that_are_nan_now_and_then_are_found(tried):
    found = tried["faketpugradients now and then"]
    assert {(operator, why) for _, operator, _, why in found["wrong"]} == {("layer norm", "the gradient of input 1 is not finite")}
    assert not found["usable"]


@pytest.mark.slow
def test_a_fault_in_bfloat16_takes_bfloat16_alone(tried):
    found = tried["faketpubfloat16 softmax"]
    assert {dtype for dtype, *_ in found["wrong"]} == {"bfloat16"}
    assert (found["dtypes"], found["usable"]) == (["float32"], True)
    assert "bfloat16 is not used on it" in found["remarks"][0]


@pytest.mark.slow
def test_a_kernel_that_is_not_there_is_told_as_that(tried):
    assert {why for _, _, _, why in tried["faketpusorting"]["wrong"]} == {"NotImplementedError: no such kernel"}


def test_a_processor_whose_float64_is_not_what_is_stored_judges_nothing(monkeypatch):
    pytest.importorskip("torch", reason="the self-test computes with torch")
    import torch

    from tunesmith_devices import self_test
    from tunesmith_devices.operators import OPERATORS

    monkeypatch.setattr(self_test, "OPERATORS", {"silu": OPERATORS["silu"]})
    assert all(case["passed"] for case in self_test.tried(torch.device("cpu"), ["float32"]))
    right = self_test.digest
    monkeypatch.setattr(self_test, "digest", lambda tensor: [value * (1 + 1e-6) for value in right(tensor)])
    (case,) = self_test.tried(torch.device("cpu"), ["float32"])
    assert case["why"] == "the processor's own float64 is not what is stored"
