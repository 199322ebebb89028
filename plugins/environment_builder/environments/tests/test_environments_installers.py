"""What installers print and write, read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_environments.installers.pip_settings import no_index, pip_settings, uv_variables
from tunesmith_environments.installers.progress import Progress
from tunesmith_environments.lock import Lock, Package, file_identity, from_requirements, merged

UV = """\
Using Python 3.11.7 environment at: xv
Resolved 2 packages in 46ms
Downloading acme-engine (32.3MiB)
Downloading anvil (1.0MiB)
 Downloaded anvil
 Downloaded acme-engine
Prepared 2 packages in 214ms
Installed 2 packages in 1ms
 + anvil==1.7.0
 + acme-engine==2026.10.11549
"""
PIP = """\
Looking in links: /wheels
Collecting anvil==1.7.0 (from -r lock.txt (line 1))
  Downloading anvil-1.7.0-py3-none-any.whl (27 kB)
Collecting acme-engine==2026.10 (from -r lock.txt (line 2))
  Downloading acme_engine-2026.10-cp311-cp311-manylinux_2_28_x86_64.whl (33.8 MB)
Installing collected packages: anvil, acme-engine
Successfully installed acme-engine-2026.10 anvil-1.7.0
"""


class Told:
    def __init__(self) -> None:
        self.all: list[tuple[str, float, float | None, str]] = []

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        self.all.append((what, done, total, unit))

    def log(self, message: str) -> None: ...

    def check(self) -> None: ...


@pytest.mark.parametrize(("output", "size"), [(UV, 33.3 * 2**20), (PIP, 33_827_000)], ids=["uv", "pip"])
def test_downloads_and_packages_are_told_as_they_come(output: str, size: float):
    told, announced = Told(), []
    progress = Progress(told, 2, announced.append)
    progress.start()
    for line in output.splitlines():
        progress.hear(line)
    downloads = [(done, total) for what, done, total, unit in told.all if what == "download"]
    assert downloads[0][0] == 0
    assert downloads[-1][0] == downloads[-1][1] == pytest.approx(size, rel=1e-3)
    assert announced[-1] == pytest.approx(size, rel=1e-3)
    assert [done for what, done, _, _ in told.all if what == "packages"][-1] == 2


@given(st.lists(st.text()))
def test_no_line_disturbs_progress(lines: list[str]):
    told = Told()
    progress = Progress(told, 3)
    for line in lines:
        progress.hear(line)
    assert all(total is None or 0 <= done <= total for _, done, total, _ in told.all)


names = st.lists(st.text("az09", min_size=1, max_size=3), min_size=1, max_size=3).map("-".join)
numbers = st.lists(st.integers(0, 99).map(str), min_size=1, max_size=4).map(".".join)
versions = st.builds("".join, st.tuples(numbers, st.sampled_from(["", "a1", "rc2", ".post1", ".dev3"]), st.sampled_from(["", "+cpu"])))
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
hashes = st.sets(digests, min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))
packages = st.lists(st.builds(Package, names, versions, hashes), unique_by=lambda package: package.name, max_size=5)


@given(packages)
def test_a_lock_says_the_same_as_json_and_as_requirements(found: list[Package]):
    lock = Lock(merged(found, [], []), "3.11.7", "cp311-linux-x86_64", "uv 0")
    assert Lock.from_json(lock.to_json()) == lock
    assert tuple(from_requirements(lock.text)) == lock.packages


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_no_lock_is_refused(data: object):
    with pytest.raises(ValueError, match="lock"):
        Lock.from_json(data)


@given(packages, packages, st.sets(names, max_size=5))
def test_what_is_installed_last_has_the_last_word_and_what_is_absent_none(first: list[Package], last: list[Package], absent: set[str]):
    found = {package.name: package for package in merged(first, last, absent)}
    assert list(found) == sorted(found)
    assert not absent & found.keys()
    assert all(found[package.name] == package for package in last if package.name not in absent)


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("anvil-1.0-py3-none-any.whl", ("anvil", "1.0")), ("acme_engine-2.0+cpu-cp311-cp311-linux_x86_64.whl", ("acme_engine", "2.0+cpu")),
        ("acme-engine-2.0.tar.gz", ("acme-engine", "2.0")), ("README.txt", ("", "")), (".whl", (".whl", "")),
    ],
)  # fmt: skip
def test_a_file_says_what_it_is_a_file_of(name: str, identity: tuple[str, str]):
    assert file_identity(name) == identity


# --- pip's settings ------------------------------------------------------------------------------------------------------------------

CONFIG = """
[global]
index-url = https://index.example/simple
timeout = 60
[install]
extra-index-url = https://one.example/simple
    https://two.example/simple
find_links = /wheels
trusted-host = one.example
"""


@pytest.fixture
def configured(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "pip.conf").write_text(CONFIG)
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://users.example\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "XDG_", "SSL_"))}
    return kept | {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_DEFAULT_TIMEOUT": "90"}


def test_pips_settings_are_what_pip_says_they_are(configured: dict[str, str]):
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], env=configured, capture_output=True, text=True, check=True
    ).stdout
    said = {key: value.replace("\\n", "\n") for key, value in re.findall(r"^(?:global|install|:env:)\.(\S+)='(.*)'$", listing, re.M)}
    del said["config-file"]
    mine = pip_settings(configured)
    assert {key: value.split() for key, value in mine.items() if key in said} == {key: value.split() for key, value in said.items()}


def test_uv_is_told_what_pip_would_do(configured: dict[str, str]):
    told = uv_variables(configured)
    assert told == {
        "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_DEFAULT_INDEX": "https://index.example/simple", "UV_FIND_LINKS": "/wheels",
        "UV_INDEX": "https://one.example/simple https://two.example/simple", "UV_INSECURE_HOST": "one.example",
        "UV_HTTP_TIMEOUT": told["UV_HTTP_TIMEOUT"], **({"SSL_CERT_FILE": told["SSL_CERT_FILE"]} if "SSL_CERT_FILE" in told else {}),
    }  # fmt: skip
    assert told["UV_HTTP_TIMEOUT"] in ("60", "90")


def test_the_users_own_file_counts_unless_another_is_named(configured: dict[str, str]):
    del configured["PIP_CONFIG_FILE"]
    assert pip_settings(configured)["index-url"] == "https://users.example"


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_no_index_is_an_option_of_uv(value: str, meant: bool):
    assert no_index({"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": value}) is meant


def test_what_the_user_told_uv_wins(configured: dict[str, str]):
    told = uv_variables(configured | {"UV_INDEX_URL": "https://mine.example", "UV_INDEX_STRATEGY": "first-index"})
    assert "UV_DEFAULT_INDEX" not in told
    assert "UV_INDEX_STRATEGY" not in told


def test_a_local_index_that_is_not_there_is_passed_over(tmp_path: Path):
    (tmp_path / "simple").mkdir()
    there = (tmp_path / "simple").as_uri()
    told = uv_variables({"PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": f"{there} file:///nowhere/simple"})
    assert told["UV_INDEX"] == there


def test_further_wheel_folders_come_before_those_of_pip():
    told = uv_variables({"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "/a /b"}, find_links=("/mine",))
    assert told["UV_FIND_LINKS"] == "/mine,/a,/b"
    told = uv_variables({"PIP_CONFIG_FILE": os.devnull, "UV_FIND_LINKS": "/users"}, find_links=("/mine",))
    assert told["UV_FIND_LINKS"] == "/mine,/users"
