"""Tokens from a keyring: a fake of the library's two names stands for it, since a keyring needs a desktop."""

import sys
import types

import pytest

from tunesmith_hubs import keyring_token


@pytest.fixture
def keyring(monkeypatch):
    """What is kept in it; "locked" raises what the library raises then."""
    kept: dict[tuple[str, str], str] = {}
    library, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})

    def get_password(service, user):
        if "locked" in kept:
            raise errors.KeyringError
        return kept.get((service, user))

    library.get_password, library.errors = get_password, errors
    monkeypatch.setitem(sys.modules, "keyring", library)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: library if name == "keyring" else None)
    return kept


def test_a_token_is_read_from_the_keyring_where_the_environment_has_none(keyring, monkeypatch, tmp_path):
    from tunesmith_huggingface import environment_variables

    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert environment_variables.token() == ""
    keyring["tunesmith", "huggingface"] = " hf_kept\n"
    assert environment_variables.token() == "hf_kept"
    monkeypatch.setenv("HF_TOKEN", "hf_said")
    assert environment_variables.token() == "hf_said"


def test_a_locked_keyring_and_none_at_all_give_no_token(keyring, monkeypatch):
    keyring["locked"] = "yes"
    assert keyring_token("modelscope") == ""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert keyring_token("modelscope") == ""
