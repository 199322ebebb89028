"""The files and outputs in these tests are shortened copies of what such systems show (x86 Linux, Arm Linux, macOS)."""

import os
import sys

import pytest

from tunesmith_cpu import linux, macos
from tunesmith_cpu.device import Cpu, elsewhere

GIB = 1 << 30
MEMINFO = f"MemTotal: {16 * GIB // 1024} kB\nMemFree: 1000 kB\nMemAvailable: {12 * GIB // 1024} kB\nHugePages_Total: 0\n"


def cpuinfo(threads, cores, flags):
    return "\n\n".join(
        f"processor\t: {n}\nmodel name\t: Example Chip\nphysical id\t: 0\ncore id\t\t: {n % cores}\nflags\t\t: {flags}"
        for n in range(threads)
    )


@pytest.fixture
def machine(tmp_path):
    def make(files):
        for name, text in {"proc/meminfo": MEMINFO, "proc/cpuinfo": cpuinfo(8, 4, "avx2"), "proc/self/cgroup": "0::/\n"}.items():
            files.setdefault(name, text)
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def test_two_threads_of_a_core_are_one_core(machine):
    device = linux.processor(machine({}))
    assert (device.name, device.cores, device.facts["threads"]) == ("Example Chip", 4, 8)
    assert (device.memory, device.free) == (16 * GIB, 12 * GIB)
    assert device.dtypes == ("float32",)


@pytest.mark.parametrize(("flags", "dtypes"), [
    ("avx2 avx512f", ("float32",)),
    ("avx512f avx512_bf16", ("float32", "bfloat16")),
    ("amx_tile amx_bf16 avx512_fp16", ("float32", "bfloat16", "float16")),
])  # fmt: skip
def test_number_types_follow_the_instruction_sets(machine, flags, dtypes):
    assert linux.processor(machine({"proc/cpuinfo": cpuinfo(2, 2, flags)})).dtypes == dtypes


def test_an_arm_board_without_core_ids_counts_each_processor(machine):
    text = "\n\n".join(f"processor\t: {n}\nFeatures\t: fp asimd asimdhp bf16" for n in range(4)) + "\n\nModel\t: Board\n"
    device = linux.processor(machine({"proc/cpuinfo": text}))
    assert (device.cores, device.dtypes) == (4, ("float32", "bfloat16", "float16"))


def test_a_containers_limits_count_and_its_cache_is_free(machine):
    device = linux.processor(machine({
        "proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "250000 100000", "sys/fs/cgroup/box/memory.max": str(4 * GIB),
        "sys/fs/cgroup/box/memory.current": str(3 * GIB), "sys/fs/cgroup/box/memory.stat": f"anon 1\ninactive_file {GIB}\n",
    }))  # fmt: skip
    assert (device.memory, device.free) == (4 * GIB, 2 * GIB)
    assert (device.cores, device.facts["threads"]) == (2, 3)


def test_the_tightest_limit_above_counts(machine):
    root = machine({
        "proc/self/cgroup": "0::/outer/inner\n", "sys/fs/cgroup/outer/inner/memory.max": "max", "sys/fs/cgroup/outer/memory.max": str(GIB),
    })  # fmt: skip
    assert linux.memory(root) == (GIB, GIB)


def test_version_1_groups_are_read_and_no_limit_is_none(machine):
    files = {
        "proc/self/cgroup": "4:memory:/job\n1:cpu,cpuacct:/job\n", "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(2 * GIB),
        "sys/fs/cgroup/memory/job/memory.usage_in_bytes": str(GIB), "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "100000", "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
    }  # fmt: skip
    device = linux.processor(machine(files))
    assert (device.memory, device.free, device.cores) == (2 * GIB, GIB, 1)


def test_a_mac_is_asked_by_sysctl():
    answers = {
        "hw.memsize": str(8 * GIB), "hw.physicalcpu": "8", "hw.logicalcpu": "8", "hw.optional.arm.FEAT_BF16": "1",
        "hw.optional.arm.FEAT_FP16": "1", "machdep.cpu.brand_string": "Apple M2",
    }  # fmt: skip
    pages = "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:  65536.\nPages active:  1.\nPages inactive:  65536.\n"
    device = macos.processor(lambda *command: pages if command == ("vm_stat",) else answers.get(command[-1], ""))
    assert (device.name, device.cores, device.memory, device.free) == ("Apple M2", 8, 8 * GIB, 2 * GIB)
    assert device.dtypes == ("float32", "float16")  # the system's library has no products in bfloat16


def test_this_machine_has_one_processor_that_makes_sense():
    (device,) = Cpu().probe()
    assert device.name
    assert 1 <= device.cores <= (os.cpu_count() or 1)
    assert 0 < device.free <= device.memory


@pytest.mark.skipif(sys.platform == "win32", reason="asks POSIX")
def test_another_system_is_asked_through_python():
    device = elsewhere()
    assert device.cores == os.cpu_count()
    assert device.memory > 0
