"""The command against LMDeploy's own parser. Its packages are those that the parser imports: what computes on GPUs is left out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tunesmith_sdk.testing.environments import environment_from

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]

PARSER = (
    "aiohttp", "einops", "fastapi", "fire", "mmengine-lite", "openai", "openai_harmony", "partial_json_parser", "peft", "pillow",
    "prometheus_client", "pybase64", "pyzmq", "safetensors", "sentencepiece", "shortuuid", "tiktoken", "torch==2.13.0",
    "transformers==5.19.0", "uvicorn", "xgrammar==0.2.7",
)  # fmt: skip
PARSES = """
import json, sys
from lmdeploy.cli.entrypoint import CLI, SubCliServe
SubCliServe.add_parsers()
parsed = CLI.parser.parse_args(sys.argv[1:])
print(json.dumps({name: getattr(parsed, name) for name in %r}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("environments")
    return Path(environment_from("tunesmith_lmdeploy", PARSER, directory, without_dependencies=("lmdeploy==0.18.0",)).python)


def parsed(python: Path, words: tuple[str, ...], names: list[str]) -> dict[str, object]:
    done = subprocess.run([python, "-c", PARSES % (names,), *words[3:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_every_setting_is_one_of_its_options_and_comes_through(python: Path, start: Any) -> None:
    wanted = {
        "backend": "pytorch", "dtype": "float16", "session_len": 2048, "max_batch_size": 5, "cache_max_entry_count": 0.5,
        "enable_prefix_caching": True, "max_prefill_token_num": 1024, "tp": 2,
    }  # fmt: skip
    names = [*wanted, "model_name", "server_name", "server_port", "device", "model_format", "quant_policy", "allow_origins"]
    told = parsed(python, start("model/awq", **wanted, quant_policy="int8").command, names)
    where = {
        "model_name": "bot", "server_name": "127.0.0.1", "server_port": 8123, "device": "cuda", "model_format": "awq", "quant_policy": 8,
        "allow_origins": ["http://127.0.0.1:8123"],
    }  # fmt: skip
    assert told == {**wanted, **where}
    assert parsed(python, start(enable_prefix_caching=False).command, ["enable_prefix_caching"]) == {"enable_prefix_caching": False}


@pytest.mark.parametrize("quant_policy", ["none", "int8", "int4"])
@pytest.mark.parametrize("format", ["hf", "awq", "gptq", "compressed-tensors"])
def test_every_format_and_type_of_keys_and_values_is_one_of_its_choices(python: Path, start: Any, format: str, quant_policy: str) -> None:
    assert parsed(python, start(f"model/{format}", quant_policy=quant_policy).command, ["model_format"]) == {"model_format": format}


def test_its_application_is_made_where_the_middleware_is_put_in(python: Path) -> None:
    code = "import inspect; from lmdeploy.serve.openai import api_server; print(inspect.getsource(api_server.serve))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    assert "= FastAPI(" in done.stdout, done.stderr


def test_the_closed_routes_are_its_own(python: Path) -> None:
    from tunesmith_lmdeploy.server import CLOSED

    code = (
        "from lmdeploy.serve.openai.api_server import create_openai_router, ServerContext; import json\n"
        "print(json.dumps([route.path for route in create_openai_router(ServerContext()).routes]))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    paths = json.loads(done.stdout.splitlines()[-1])
    assert [start for start in CLOSED if not any(path.startswith(start) for path in paths)] == []
    opened = {path for path in paths if not path.startswith(CLOSED)}
    assert opened >= {"/health", "/v1/models", "/v1/completions", "/v1/chat/completions"}
    assert not {path for path in opened if "weight" in path or "terminate" in path}
