"""The command that makes wheels of all distributions: an index that pip and uv install from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import release
from distributions import distributions

from tunesmith_sdk.distributions.wheels import write_wheel

UV = Path(sys.executable).with_name("uv")


def install(index: Path, name: str, to: Path, installer: str = "uv") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))} | {"PIP_CONFIG_FILE": os.devnull}
    address = (index / "simple").as_uri()
    commands = {
        "uv": [UV, "pip", "install", "--no-cache", "--python", sys.executable, "--default-index", address, "--target", to, name],
        "pip": [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--index-url", address, "--target", to, name],
    }
    return subprocess.run(commands[installer], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
def test_the_index_is_one_to_pip_and_uv(tmp_path: Path, installer: str) -> None:
    write_wheel(tmp_path, "acme_tilt", "1.0", requires=["acme-angle"])
    write_wheel(tmp_path, "acme_angle", "2.0")
    release.write_index(tmp_path)
    done = install(tmp_path, "acme-tilt", tmp_path / "site", installer)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "site").glob("acme_*")} >= {"acme_tilt", "acme_angle"}


def test_a_wheel_that_changed_after_the_release_is_not_installed(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, "acme_tilt", "1.0")
    release.write_index(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("acme_tilt/more.py", "")
    done = install(tmp_path, "acme-tilt", tmp_path / "site")
    assert done.returncode != 0
    assert "hash mismatch" in done.stderr.lower()


def test_nothing_is_released_while_a_manifest_differs_from_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "drifted", lambda: ["plugins/adapter/lora/src/tunesmith_lora/plugin.toml"])
    assert release.release(tmp_path / "dist") == 1
    assert "tunesmith_lora/plugin.toml differs from its code" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


def test_a_distribution_is_built_as_its_own_backend_builds_it(tmp_path: Path) -> None:
    one = distributions()["tunesmith-file"]
    mine = release.build(one, tmp_path / "mine")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "its")]
    subprocess.run(command, cwd=one.folder, check=True, capture_output=True)
    assert mine.read_bytes() == (tmp_path / "its" / mine.name).read_bytes()


@pytest.mark.slow
def test_all_distributions_are_released_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.release(tmp_path / "dist") == 0
    pages = {path.parent.name for path in (tmp_path / "dist" / "simple").glob("*/index.html")}
    assert pages == set(distributions())
    assert re.search(rf"^{len(distributions())} distributions, version \S+, [\d.]+ MB, ", capsys.readouterr().out, re.M)
