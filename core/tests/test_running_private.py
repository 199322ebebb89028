"""What is the user's alone stays so: the home, and the secrets in the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tiny_plans import Place, step, verb

from tunesmith.errors import UserError
from tunesmith.isolation.secret_variables import withheld
from tunesmith.running.home_permissions import make_home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_home_is_made_for_its_user_alone(tmp_path: Path):
    place = Place.at(tmp_path / "project")
    assert place.run(step("a", to=1)).exit_status == 0
    assert mode(place.home) == 0o700


def test_one_that_was_open_is_closed(tmp_path: Path):
    for name in (".tunesmith", "state"):
        home = tmp_path / name
        home.mkdir(mode=0o755)
        (home / "store").mkdir()
        make_home(home)
        assert mode(home) == 0o700


def test_a_folder_that_holds_other_things_is_not_closed_but_refused(tmp_path: Path):
    (tmp_path / "photos").mkdir(mode=0o755)
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(UserError, match="TS-STORE-010"):
        make_home(tmp_path / "photos")
    assert mode(tmp_path / "photos") == 0o755


def test_a_home_is_shared_with_a_group_that_is_declared(tmp_path: Path):
    import grp

    group = grp.getgrgid(os.getgid()).gr_name
    make_home(tmp_path / "home", group)
    (tmp_path / "home" / "more").mkdir()
    assert (mode(tmp_path / "home"), mode(tmp_path / "home" / "more")) == (0o2770, 0o2770)
    with pytest.raises(UserError, match="TS-STORE-010"):
        make_home(tmp_path / "home", "no-such-group")


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "GH_PAT", "OPENAI_API_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "DB_PASSWORD", "client_secret",
             "GOOGLE_APPLICATION_CREDENTIALS", "TLS_PRIVATE_KEY_FILE"],
)  # fmt: skip
def test_what_is_called_a_secret_is_kept_back_unless_it_is_declared(name: str):
    assert withheld({name: "x", "PATH": "/bin"}, ()) == (name,)
    assert withheld({name: "x"}, (name,)) == ()
    assert withheld({name: "x"}, (name[:3] + "*",)) == ()


@pytest.mark.parametrize("name", ["PATH", "TOKENIZERS_PARALLELISM", "HF_HOME", "OMP_NUM_THREADS", "HTTPS_PROXY", "KEYBOARD"])
def test_other_variables_are_passed_on(name: str):
    assert withheld({name: "x"}, ()) == ()


@pytest.mark.parametrize(("secrets", "seen"), [((), ["PATH"]), (("ACME_TOKEN",), ["ACME_TOKEN", "PATH"])])
def test_a_worker_has_the_secrets_that_its_step_declares(secrets, seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACME_TOKEN", "hush")
    monkeypatch.setenv("OTHER_TOKEN", "hush")
    outcome = Place.at(tmp_path).run(_step(secrets))
    assert outcome.exit_status == 0
    assert (outcome.artifacts["a"].path / "names").read_text().split() == seen


def _step(secrets: tuple[str, ...]):
    import dataclasses

    return dataclasses.replace(step("a"), verb=verb("variables", produces=("numbers/plain",), secrets=secrets))
