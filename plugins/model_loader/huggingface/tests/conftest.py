"""A hub of the tests' own, small models on it, and an environment in which nothing else can be reached."""

import hashlib
import importlib.util
import json
import struct
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("hub_server", Path(__file__).with_name("hub_server.py"))
hub_server = importlib.util.module_from_spec(_spec)
sys.modules["hub_server"] = hub_server
_spec.loader.exec_module(hub_server)

CONFIG = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 11}


def safetensors(size: int, seed: str = "") -> bytes:
    header = json.dumps({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + hashlib.shake_256(seed.encode()).digest(size)


def model_files(size: int = 3_000_000, **more: bytes) -> dict[str, bytes]:
    files = {"config.json": json.dumps(CONFIG).encode(), "tokenizer.json": b'{"version": "1.0"}', "README.md": b"# hi",
             "pytorch_model.bin": b"pickle", "model.safetensors": safetensors(size)}  # fmt: skip
    return files | more


@pytest.fixture(name="model_files")
def _model_files():
    return model_files


@pytest.fixture(name="safetensors")
def _safetensors():
    return safetensors


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub server; ``org/small`` is on it with 3 MB of weights."""
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TUNESMITH_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE",
                     "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):  # fmt: skip
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf-home"))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    with hub_server.HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.add("org/small", model_files())
        yield server


@pytest.fixture
def step(hub, local_step):
    return local_step()


@pytest.fixture
def loader(hub):
    """``loader(**settings)``: parts of 1 MiB, quick retries."""
    from tunesmith_huggingface.loader import HuggingFaceLoader
    from tunesmith_huggingface.settings import HuggingFaceSettings

    def make(**settings):
        return HuggingFaceLoader(HuggingFaceSettings(**({"part_mib": 1, "backoff": 0.01, "timeout": 5.0} | settings)))

    return make


@pytest.fixture
def load(loader, step):
    """``load(uri)``: (what was resolved, the files that were fetched)."""

    def run(uri: str = "hf://org/small", **settings):
        loading = loader(**settings)
        info = loading.resolve(uri, step)
        loading.fetch(info, step.output, step)
        return info, {p.relative_to(step.output).as_posix(): p.read_bytes() for p in step.output.rglob("*") if p.is_file()}

    return run
