"""nvidia-smi's answers here are written after its documented CSV form; none of them was recorded on a machine of ours."""

import os
import stat

import pytest

from tunesmith_cuda.device import CAPABILITY, FIELDS, Cuda

GIB = 1 << 30
TWO = (
    "0, GPU-1111aaaa-0000-0000-0000-000000000000, NVIDIA H200, 143771, 143300, 580.159.03, 9.0\n"
    "1, GPU-2222bbbb-0000-0000-0000-000000000000, NVIDIA TITAN V, 12288, 12000, 580.159.03, 7.0\n"
)
OLD_DRIVER = "0, GPU-3333cccc-0000-0000-0000-000000000000, GeForce GTX 1080 Ti, 11264, 11000, 470.182.03\n"
SHARED_MEMORY = "0, GPU-4444dddd-0000-0000-0000-000000000000, NVIDIA GB10, [N/A], [N/A], 580.95.05, 12.1\n"


def probe(text, **environment):
    return Cuda(lambda fields: text, environment).probe()


def test_each_gpu_is_a_device_with_its_memory_and_number_types():
    first, second = probe(TWO)
    assert (first.name, first.memory, first.free) == ("NVIDIA H200", 143771 << 20, 143300 << 20)
    assert first.dtypes == ("float32", "float16", "bfloat16")
    assert second.dtypes == ("float32", "float16")
    assert second.facts["driver"] == "580.159.03"


@pytest.mark.parametrize(("chosen", "names"), [
    ("1", ["NVIDIA TITAN V"]), ("1,0", ["NVIDIA TITAN V", "NVIDIA H200"]), ("", []), ("-1", []), ("0,-1,1", ["NVIDIA H200"]),
    ("GPU-2222", ["NVIDIA TITAN V"]),
])  # fmt: skip
def test_only_visible_devices_count(chosen, names):
    assert [device.name for device in probe(TWO, CUDA_VISIBLE_DEVICES=chosen)] == names


def test_a_driver_that_does_not_know_compute_capabilities_is_asked_without():
    (device,) = Cuda(lambda fields: "" if CAPABILITY in fields else OLD_DRIVER, {}).probe()
    assert (device.name, device.dtypes) == ("GeForce GTX 1080 Ti", ("float32",))


def test_memory_shared_with_the_processor_is_the_machines():
    (device,) = probe(SHARED_MEMORY)
    assert device.memory >= device.free > 0


@pytest.mark.parametrize("text", ["", "\n", "No devices were found\n", "NVIDIA-SMI has failed, because it couldn't talk to the driver\n"])
def test_no_gpu_is_no_device_and_no_error(text):
    assert probe(text) == []


@pytest.mark.parametrize("script", ["exit 9", "echo boom >&2; exit 1"])
def test_a_tool_that_fails_is_no_device_and_no_error(tmp_path, monkeypatch, script):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.defpath)
    assert Cuda(environment={}).probe() == []


def test_a_tool_that_hangs_is_given_up(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.defpath)
    monkeypatch.setattr("tunesmith_cuda.device.TIMEOUT", 0.2)
    assert Cuda(environment={}).probe() == []


def test_the_query_names_its_fields():
    asked = []
    Cuda(lambda fields: asked.append(tuple(fields)) or TWO, {}).probe()
    assert asked == [(*FIELDS, CAPABILITY)]
