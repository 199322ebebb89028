"""What `serve: auto` takes for models of real sizes on machines of real sizes under loads that are expected, without weights: kept in
serve_table.json, and held against what must be true of it. Not verified on hardware.

After a change that is meant: ``python tests/serving/test_serve_table.py`` writes the table anew.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import pytest

from tunesmith.contracts import Device
from tunesmith.planning.pipeline.step_syntax import ProviderSpec
from tunesmith_cli.estimate.step import StepEstimate
from tunesmith_cli.options.device_catalog import card

sys.path.append(str(Path(__file__).parents[1] / "cases"))

from estimated_models import GIB, NOTHING, estimator, session, shape, taken

TABLE = Path(__file__).with_name("serve_table.json")
MODELS = (
    "qwen3-0.6b", "qwen3-8b", "qwen3-32b", "llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b", "qwen3-30b-a3b", "deepseek-v3",
)  # fmt: skip
LOADS = {
    "one": {"concurrency": 1, "prompt": 512, "answer": 256},
    "32": {"concurrency": 32, "prompt": 512, "answer": 256},
    "32 long": {"concurrency": 32, "prompt": 16_000, "answer": 1000},
}
PROCESSORS = {"16 GiB": ("float32",), "64 GiB": ("float32", "bfloat16")}  #: memory -> native dtypes
MACHINES = (*PROCESSORS, "1xT4", "1xA10", "2xA100-80", "8xH100")
FORMATS = {"model/hf": 2.0, "model/gguf": 0.6, "model/gptq": 0.6}  #: bytes a parameter


@cache
def seen(model: str, machine: str, load: str, format: str = "model/hf", backend: str = "auto") -> StepEstimate:
    opened, _ = session()
    if machine in PROCESSORS:
        memory = int(machine.split()[0]) * GIB
        device, devices = "cpu", (Device("made up", memory, memory, 8, PROCESSORS[machine]),)
    else:
        device, devices = card(opened.registry, machine)
    reader = estimator(model, device, devices, format, int(shape(model).parameters * FORMATS[format]))
    slots = {"inference_backend": ProviderSpec("inference_backend", backend, {}, ("serve", backend))}
    return reader.of(opened.registry.verb("serve"), {"expect": LOADS[load]}, slots)


def cell(model: str, machine: str, load: str, format: str = "model/hf") -> str:
    """The engine that is taken with its settings, or that nothing fits."""
    return taken(seen(model, machine, load, format), "inference_backend")


def written() -> dict[str, dict[str, dict[str, list[str]]]]:
    return {
        format: {model: {machine: [cell(model, machine, load, format) for load in LOADS] for machine in MACHINES} for model in MODELS}
        for format in FORMATS
    }


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("model", MODELS)
def test_auto_takes_what_the_table_says(model, format):
    told = json.loads(TABLE.read_text())[format][model]
    assert {machine: [cell(model, machine, load, format) for load in LOADS] for machine in MACHINES} == told


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("load", LOADS)
def test_what_is_taken_carries_the_load_and_every_other_has_a_reason(machine, load):
    for model in MODELS:
        found = seen(model, machine, load)
        assert all(one.verdict for one in found.alternatives)
        if not found.fits:
            continue
        names = {one.provider for one in found.alternatives}
        assert {"transformers", "llamacpp", "vllm", "sglang", "lmdeploy", "openvino"} <= names
        settings = found.choices["inference_backend"].settings
        length = next(settings[name] for name in ("max_model_len", "context_length", "session_len", "ctx_size") if name in settings)
        assert length >= LOADS[load]["prompt"] + LOADS[load]["answer"]
        assert found.needed <= found.capacity.memory


def test_more_memory_never_serves_less():
    order = [("16 GiB", "64 GiB"), ("1xT4", "1xA10"), ("1xA10", "2xA100-80"), ("2xA100-80", "8xH100")]
    for model in MODELS:
        for less, more in order:
            for load in LOADS:
                assert cell(model, less, load) == NOTHING or cell(model, more, load) != NOTHING, (model, less, more, load)


#: (model, machine, format, whether it is served, source)
DOCUMENTED = [
    ("llama-3.1-8b", "1xA10", "model/hf", True, "Hugging Face, blog/llama31: inference of 8B takes 16 GB in 16 bits"),
    ("llama-3.1-8b", "1xT4", "model/hf", False, "the same: 16 GB of weights and nothing left of the 15"),
    ("llama-3.1-8b", "1xT4", "model/gptq", True, "the same: 4 GB in 4 bits"),
    ("llama-3.1-70b", "1xA10", "model/gptq", False, "the same: 35 GB in 4 bits"),
    ("llama-3.1-70b", "2xA100-80", "model/hf", True, "the same: 140 GB in 16 bits"),
    ("deepseek-v3", "8xH100", "model/hf", False, "671 billion parameters in 16 bits are 1.3 TB, and eight cards have 0.6"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "machine", "format", "served", "source"), DOCUMENTED)
def test_what_is_served_is_what_others_document(model, machine, format, served, source):
    assert (cell(model, machine, "one", format) != NOTHING) is served, source


def test_an_engine_that_would_find_no_memory_for_cache_blocks_is_refused_and_passed_over():
    found = seen("llama-3.1-8b", "1xT4", "one", backend="vllm")
    assert [problem.code for problem in found.problems] == ["TS-SERVE-031"]
    assert "no memory for keys and values" in found.problems[0].what
    verdicts = [one.verdict for one in seen("llama-3.1-8b", "1xT4", "one").alternatives if one.provider == "vllm"]
    assert verdicts
    assert all("no memory for keys and values" in verdict for verdict in verdicts)


def test_requests_longer_than_what_is_served_are_refused():
    assert [problem.code for problem in seen("qwen3-8b", "8xH100", "32 long", backend="transformers").problems] == ["TS-SERVE-032"]


def test_fewer_slots_than_are_expected_are_told():
    found = seen("qwen3-0.6b", "64 GiB", "32", "model/gguf", backend="llamacpp")
    assert any("32 requests at the same time are expected, and `parallel` is 8" in warning for warning in found.warnings)


if __name__ == "__main__":
    TABLE.write_text(json.dumps(written(), indent=1) + "\n")
    sys.exit(0)
