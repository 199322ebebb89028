"""`recorded` was printed by system_profiler on a real M2 Max, of others, who published it; sizes are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_mps.device import DISPLAYS, Mps

DISPLAY = (Path(__file__).parent / "recorded" / "M2Max.displays.json").read_text()
PAGES = """\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                              100000.
Pages active:                            900000.
Pages inactive:                          400000.
Pages speculative:                        20000.
Pages purgeable:                           5000.
"""
SYSTEM = {"hw.optional.arm64": "1\n", "hw.memsize": f"{64 << 30}\n", "iogpu.wired_limit_mb": "0\n", "-productVersion": "15.3\n"}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))


def probe(system="darwin", display=DISPLAY, **answers):
    told = SYSTEM | {name.replace("__", "."): value for name, value in answers.items()}
    known = {DISPLAYS: display, ("vm_stat",): PAGES}
    return Mps(lambda *command: known.get(command, told.get(command[-1], "")), system).probe()


def test_what_was_recorded_of_an_m2_max_is_one_device_with_the_machines_memory():
    (device,) = probe()
    assert (device.name, device.cores, device.memory, device.free) == ("Apple M2 Max", 30, 64 << 30, 525000 * 16384)
    assert device.dtypes == ("float32", "float16", "bfloat16")
    assert "doctor --self-test" in device.remarks[0]


def test_a_bound_that_somebody_set_on_the_gpus_memory_counts():
    (device,) = probe(iogpu__wired_limit_mb="4096\n")
    assert device.memory == device.free == 4 << 30


def test_before_macos_14_there_is_no_bfloat16():
    told = SYSTEM | {"-productVersion": "13.6.1\n"}
    (device,) = Mps(lambda *command: {DISPLAYS: DISPLAY, ("vm_stat",): PAGES}.get(command, told.get(command[-1], "")), "darwin").probe()
    assert device.dtypes == ("float32", "float16")


@pytest.mark.parametrize("display", ["", "{}", "[]", '{"SPDisplaysDataType": [{"sppci_model": "AMD"}]}'])
def test_a_gpu_that_the_system_does_not_describe_has_the_processors_name(display):
    (device,) = probe(display=display, machdep__cpu__brand_string="Apple M1\n")
    assert (device.name, device.cores) == ("Apple M1", 1)


@pytest.mark.parametrize("answers", [{"system": "linux"}, {"hw__optional__arm64": ""}, {"hw__memsize": ""}])
def test_elsewhere_there_is_none(answers):
    assert probe(**answers) == []
