"""What tests of backends stand on: an endpoint in the test's process, an engine of another interpreter."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

import pytest

from tunesmith.contracts import Address, Artifact, Engine, Step, TunesmithError
from tunesmith_sdk.testing.serving import Elsewhere, serving

FILES = "http.server"  # answers 200 to what lies in its directory


class FileServer:
    """An engine of the standard library's that serves a model's files, and no model."""

    def engine(self, model: Artifact, name: str, address: Address, step: Step) -> Engine:
        words = ("-m", FILES, str(address.port), "--bind", address.host, "--directory", str(model.path))
        return Engine(("no-such-program", *words), ready="/config.json", start_timeout=60.0)


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return Artifact("model/hf", folder)


def test_an_engine_of_another_interpreter_answers_within_the_block_and_not_after_it(model: Artifact, tmp_path: Path):
    with serving(Elsewhere(FileServer(), Path(sys.executable)), model, tmp_path / "step") as server:
        address = f"{server.root}/config.json"
        assert urllib.request.urlopen(address, timeout=30).read() == b"{}"
        assert str(server.client().base_url) == f"{server.url}/"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=30)


def test_what_keeps_it_from_coming_up_is_raised(model: Artifact, tmp_path: Path):
    with pytest.raises(TunesmithError, match="no-such-program"), serving(FileServer(), model, tmp_path / "step"):
        raise AssertionError("unreachable")
