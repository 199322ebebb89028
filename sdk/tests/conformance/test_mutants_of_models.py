"""Tests of the kit: the same as test_mutants.py for kinds that work on tiny models, in this process."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="needs transformers")]

#: check -> (kind, changes of the good plugin)
FAULTS = {
    "adapter.trains": (
        "adapter",
        (
            "            put(model, name, Tilted(layer, 0.01",
            "            layer.bias = None\n            put(model, name, Tilted(layer, 0.01",
        ),
        (
            "(layer.out_features, generator=drawn)))\n",
            "(layer.out_features, generator=drawn)))\n        model.get_submodule(name).idle = torch.nn.Parameter(torch.zeros(1))\n",
        ),
    ),
    "adapter.frozen-stay-bit-equal": (
        "adapter",
        ("        out = self.base(x)", "        self.calls += self.training\n        out = self.base(x)"),
    ),
    "adapter.starts-from-the-seed": ("adapter", (", generator=drawn", "")),
    "adapter.round-trip": (
        "adapter",
        ("put(model, name, Tilted(layers[name], tilt))", "put(model, name, Tilted(layers[name], tilt.half().float()))"),
    ),
    "adapter.files-are-portable": ("adapter", ('{"kind": "tilt"}', '{"at": __import__("time").time_ns()}')),
    "adapter.merges": ("adapter", ("*= (1 + layer.tilt.detach())", "*= (1 + 2 * layer.tilt.detach())")),
    "adapter.gives-back-the-reference": ("adapter", ("layer.enabled = False", "layer.enabled = True")),
    "adapter.packed": (
        "adapter",
        ("return out * (1 + self.tilt) if", "return (out * (1 + self.tilt) + 0.1 * out.mean(-2, keepdim=True)) if"),
        ('"merge": "full", ', ""),
    ),
    "adapter.estimate": ("adapter", ("linear.outputs * linear.count", "2 * linear.outputs * linear.count")),
    "exporter.keeps-the-numbers": (
        "exporter",
        (
            '        (step.work / "part")',
            "        from safetensors.torch import load_file, save_file\n        file = output / 'model.safetensors'\n"
            "        tilted = {name: value * 1.1 for name, value in load_file(file).items()}\n"
            "        save_file(tilted, file, metadata={'format': 'pt'})\n        (step.work / \"part\")",
        ),
    ),
    "quantizer.writes-its-format": ("quantizer", ('format="model/half"', 'format="model/third"')),
    "quantizer.deterministic": ("quantizer", ('{"dtype": "bfloat16"}', '{"dtype": "bfloat16", "at": __import__("time").time_ns()}')),
    "quantizer.leaves-its-source": (
        "quantizer",
        ("        weights = load", '        (model.path / "mark").write_text("seen")\n        weights = load'),
    ),
    "quantizer.smaller": ("quantizer", ("value.to(torch.bfloat16)", "value")),
    "quantizer.keeps-the-knowledge": ("quantizer", ("value.to(torch.bfloat16)", "(3 * value).to(torch.bfloat16)")),
    "quantizer.asks-for-rows": ("quantizer", ("if calibration is None", "if model is None")),
    "provider.loads": ("adapter", ("    def merge(self, model):", "    def fold(self, model):"), ('"merge": "full", ', "")),
}


#: the same of a kind that is to import no library, which shows in workers alone
FAULTS_IN_WORKERS = {
    "device_backend.computes": ("device_backend", ('"torch": "cpu"', '"torch": "meta"')),
    "device_backend.self-test": ("device_backend", ("right = (rows @ rows.T).sum().item() == 83", "right = True")),
}


@pytest.mark.parametrize("kind", ["adapter", "exporter", "quantizer"])
def test_a_good_plugin_is_caught_by_none(kind: str, tmp_path: Path):
    folder = mutants.write(tmp_path / "plugin", kind)
    assert mutants.failed_here(folder, tmp_path) == set()


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    kind, *changes = FAULTS[check]
    assert mutants.failed_here(mutants.write(tmp_path / "plugin", kind, *changes), tmp_path) == {check}


def test_an_adapter_that_says_modules_only_but_not_to_planners_is_caught(tmp_path: Path):
    """Then a plan would tell, and reckon with, another model than the one that is trained."""
    folder = mutants.write(tmp_path / "plugin", "adapter", ("class Provider:\n", "class Provider:\n    modules_only = True\n\n"))
    assert mutants.failed_here(folder, tmp_path) == {"adapter.estimate"}


@pytest.mark.parametrize("check", FAULTS_IN_WORKERS)
def test_a_fault_is_caught_in_a_worker_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    kind, *changes = FAULTS_IN_WORKERS[check]
    assert mutants.failed(mutants.write(tmp_path, kind, *changes), kind, "provider") == {check}
