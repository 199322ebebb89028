"""Environments of a real engine's wheel (34 MB, no requirements) from pip's indexes, made by several hosts, some of which are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith.contracts.kinds.environment_builder import Recipe, Silent
from tunesmith.errors import TunesmithError
from tunesmith_environments import environment, interpreters, snapshot
from tunesmith_environments.bundle import bundle
from tunesmith_environments.manager import Environments

pytestmark = pytest.mark.isolated

ENGINE = "xllamacpp==2026.10.11549"
RECIPE = Recipe((ENGINE,), plugins=("acme-engine",))
HOST = f"""
import json, sys
from pathlib import Path
from tunesmith_environments.manager import Environments
from tunesmith.contracts.kinds.environment_builder import Recipe
class Watch:
    def progress(self, what, done, total, unit): print("progress", what, flush=True)
    def log(self, message): print("log", message, flush=True)
    def check(self): pass
built = Environments(Path(sys.argv[1]), installer=sys.argv[2]).ensure(Recipe(({ENGINE!r},), plugins=("acme-engine",)), Watch())
print("built", json.dumps([built.key, built.created]), flush=True)
"""


def host(directory: Path, installer: str = "auto") -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HOST, str(directory), installer], stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> tuple[list[str], list[object]]:
    """What a host said, and what it has built."""
    output = process.communicate(timeout=300)[0].splitlines()
    assert process.returncode == 0, output
    return output, json.loads(output[-1].removeprefix("built "))


def works(built: environment.Environment) -> bool:
    done = subprocess.run([built.python, "-c", "import xllamacpp, pluggy; print(xllamacpp.CommonParams)"], capture_output=True, text=True)
    return done.returncode == 0 and "CommonParams" in done.stdout


def test_hosts_that_race_for_an_environment_build_it_once(tmp_path: Path):
    hosts = [host(tmp_path) for _ in range(3)]
    found = [said(process) for process in hosts]
    assert len({tuple(built) for _, built in found}) == 1, "all have the one that was built at one time"
    assert sum("progress creating" in output for output, _ in found) == 1
    assert len(environment.built(tmp_path)) == 1
    assert works(environment.built(tmp_path)[0])


def test_both_installers_make_the_same(tmp_path: Path):
    built = [Environments(tmp_path / name, installer=name).ensure(RECIPE) for name in ("uv", "pip")]
    assert built[0].packages == built[1].packages
    assert all(works(one) for one in built)
    files = [{str(path.relative_to(one.site)) for path in one.site.glob("xllamacpp/**/*")} for one in built]
    assert files[0] == files[1] != set()


def test_a_lock_of_one_installer_is_installed_by_the_other(tmp_path: Path):
    for first, second in (("uv", "pip"), ("pip", "uv")):
        directory = tmp_path / first
        lock = Environments(directory, installer=first).lock(RECIPE)
        built = Environments(directory, installer=second).ensure(RECIPE)
        assert built.packages == {package.name: package.version for package in lock.packages}
        assert works(built)


MOMENTS = ("progress resolving", "progress creating", "progress packages", "progress checking")


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_builder_that_is_killed_at_any_moment_leaves_nothing_that_the_next_is_misled_by(installer: str, tmp_path: Path):
    for moment in MOMENTS:
        process = host(tmp_path, installer)
        assert process.stdout
        for line in process.stdout:
            if line.startswith(moment):
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert environment.built(tmp_path) == []
    output, (key, _) = said(host(tmp_path, installer))
    (built,) = environment.built(tmp_path)
    assert built.key == key
    assert works(built)
    assert snapshot.damage(built.path, built.site, dict(built.packages)) == []
    assert not [line for line in output if "waiting" in line], "the lock of the killed went with them"


def test_a_builder_that_is_killed_takes_its_installer_along(tmp_path: Path):
    process = host(tmp_path, "pip")
    assert process.stdout
    for line in process.stdout:
        if line.startswith("progress packages"):
            break
    assert _commands(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 20
    while _commands(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _commands(directory: Path) -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if str(directory).encode() in command and b"install" in command:
            found.append(command)
    return found


def test_files_that_somebody_deletes_come_back(tmp_path: Path):
    environments = Environments(tmp_path)
    built = environments.ensure(RECIPE)
    for library in built.site.glob("xllamacpp/*.so"):
        library.unlink()
    assert not works(built)
    again = environments.ensure(RECIPE)
    assert again.created > built.created
    assert works(again)


def test_a_disk_that_is_too_small_is_told_and_left_empty(tmp_path: Path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(small)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a file system of its own needs the right to mount: {mounted.stderr.strip()}")
    try:
        for installer in ("uv", "pip"):
            with pytest.raises(TunesmithError) as caught:
                Environments(small, installer=installer).ensure(RECIPE)
            assert caught.value.code == "TS-ENV-002"
            assert environment.folders(small) == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_another_python_of_this_machine_is_taken_when_the_hosts_will_not_do(installer: str, tmp_path: Path):
    others = [found for found in interpreters.others() if found.tag != interpreters.host().tag and interpreters.suits(found.version, "")]
    if not others:
        pytest.skip("there is no other Python here")
    minor = ".".join(others[0].version.split(".")[:2])
    recipe = Recipe((), python=f"=={minor}.*", plugins=("acme-engine",))
    environments = Environments(tmp_path, installer=installer)
    built = environments.ensure(recipe)
    assert built.version.startswith(f"{minor}.")
    assert environments.key(recipe) == built.key
    done = subprocess.run([built.python, "-c", "import sys, pluggy; print(sys.version)"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(minor)


def test_the_environment_of_the_caller_does_not_leak_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "stray").mkdir()
    (tmp_path / "stray" / "pluggy.py").write_text("raise ImportError('a stray module')")
    for name, value in {"PYTHONPATH": str(tmp_path / "stray"), "VIRTUAL_ENV": sys.prefix, "PIP_TARGET": str(tmp_path / "target")}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "forge.py").write_text("def probe():\n    import pluggy\n    return {'pluggy': pluggy.__version__}\n")
    recipe = Recipe((), probes=("forge:probe",), packages={"forge": tmp_path / "forge.py"})
    for installer in ("uv", "pip"):
        built = Environments(tmp_path / installer, installer=installer).ensure(recipe)
        assert built.facts["pluggy"] == built.packages["pluggy"]
    assert not (tmp_path / "target").exists()
    assert os.environ["PYTHONPATH"]


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_was_bundled_needs_no_network(installer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bundle(Environments(tmp_path / "here"), [RECIPE], tmp_path / "stick", Silent())
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{sock.getsockname()[1]}/simple"
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": closed,
        "UV_DEFAULT_INDEX": closed,
        "PIP_RETRIES": "0",
        "UV_HTTP_RETRIES": "0",
    }
    for name, value in {**nowhere, "UV_CACHE_DIR": str(tmp_path / "uv"), "PIP_CACHE_DIR": str(tmp_path / "pip")}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TunesmithError, match="TS-ENV-008"):
        Environments(tmp_path / "without", installer=installer, offline=True).ensure(RECIPE)
    there = Environments(tmp_path / "there", installer=installer, offline=True, find_links=[tmp_path / "stick"])
    assert works(there.ensure(RECIPE))
