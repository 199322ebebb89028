"""What can't work is refused by a code, before anything is asked of the model."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_server import small_server

from tunesmith.contracts import Address, UserError
from tunesmith.contracts.environment_variables import WITHHELD
from tunesmith.contracts.estimates import EstimateRequest
from tunesmith_remote.backend import RemoteBackend
from tunesmith_remote.estimate import estimate
from tunesmith_remote.settings import RemoteSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_serve.settings import ServeSettings

KEY = "sk-remote-secret-77"
NAME = "TUNESMITH_REMOTE_API_KEY"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, KEY)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def refused(directory: Path, settings: RemoteSettings, host: str = "127.0.0.1") -> UserError:
    step = LocalStep.make(directory, name="bot", settings=ServeSettings())
    with pytest.raises(UserError) as caught:
        RemoteBackend(settings).serve(None, "bot", Address(host), step)
    assert not step.reports.ready.is_set()
    assert KEY not in repr(caught.value.__dict__)
    return caught.value


def test_a_url_where_nobody_listens(tmp_path: Path) -> None:
    error = refused(tmp_path, RemoteSettings("http://127.0.0.1:9/v1"))
    assert (error.code, "Is the server up" in error.fix) == ("TS-SERVE-052", True)


def test_a_url_that_is_no_api_s_base(tmp_path: Path) -> None:
    with small_server(models=None) as server:
        error = refused(tmp_path, RemoteSettings(server.url))
    assert (error.code, error.why) == ("TS-SERVE-052", "it has no list of models")


def test_a_key_that_is_not_taken(tmp_path: Path) -> None:
    with small_server(key="another") as server:
        error = refused(tmp_path, RemoteSettings(server.url, "acme-large", NAME))
    assert (error.code, error.why) == ("TS-SERVE-052", "HTTP 401")
    assert "`api_key_env`" in error.fix


def test_a_server_without_models(tmp_path: Path) -> None:
    with small_server(models=()) as server:
        assert refused(tmp_path, RemoteSettings(server.url)).why == "its list of models is empty"


def test_a_model_that_is_not_there_and_which_may_be_meant(tmp_path: Path) -> None:
    with small_server() as server:
        error = refused(tmp_path, RemoteSettings(server.url, "acme-larg"))
    assert error.code == "TS-SERVE-053"
    assert "`acme-large`" in error.fix


def test_a_variable_that_holds_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "two\nlines")
    error = refused(tmp_path, RemoteSettings("http://127.0.0.1:9/v1", "", NAME))
    assert (error.code, "two" in str(error.__dict__)) == ("TS-SERVE-051", False)


FORBIDDEN = [
    ("TS-SERVE-051", RemoteSettings("https://api.example.com/v1", api_key_env="OPENAI_API_KEY"), "127.0.0.1"),
    ("TS-SERVE-054", RemoteSettings("http://10.1.2.3:8000/v1"), "127.0.0.1"),
    ("TS-SERVE-054", RemoteSettings("http://api.example.com/v1", api_key_env=NAME), "127.0.0.1"),
    ("TS-SERVE-055", RemoteSettings("https://api.example.com/v1", api_key_env=NAME), "0.0.0.0"),
]


@pytest.mark.parametrize(("code", "settings", "host"), FORBIDDEN)
def test_what_a_plan_can_tell_the_plan_tells_and_the_step_as_well(code: str, settings: RemoteSettings, host: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        estimate(EstimateRequest(settings=vars(settings), step_settings={"host": host}))
    assert caught.value.code == code
    assert refused(tmp_path, settings, host).code == code


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (RemoteSettings("http://10.1.2.3:8000/v1", allow_http=True), "127.0.0.1"),
        (RemoteSettings("http://localhost:8000/v1", api_key_env=NAME), "127.0.0.1"),
        (RemoteSettings("http://[::1]:8000/v1"), "127.0.0.1"),
        (RemoteSettings("https://api.example.com/v1"), "0.0.0.0"),
        (RemoteSettings("https://api.example.com/v1", api_key_env=NAME), "localhost"),
    ],
)
def test_the_rest_is_planned(settings: RemoteSettings, host: str) -> None:
    assert estimate(EstimateRequest(settings=vars(settings), step_settings={"host": host})).memory > 0


def test_the_plan_needs_not_know_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planner's helper has no secrets, and is told which there are."""
    monkeypatch.delenv(NAME)
    monkeypatch.setenv(WITHHELD, f"OTHER_TOKEN {NAME}")
    assert estimate(EstimateRequest(settings=vars(RemoteSettings("https://api.example.com/v1", api_key_env=NAME)))).memory > 0
