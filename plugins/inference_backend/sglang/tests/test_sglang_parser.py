"""The command against SGLang's own parser. Its packages are those that the parser imports: the kernels for GPUs are left out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tunesmith_sdk.testing.environments import environment_from

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]

PARSER = (
    "aiohttp", "fastapi", "ipython", "msgspec", "orjson", "pillow", "psutil", "pybase64", "python-multipart", "pyzmq", "requests",
    "torch==2.13.0", "transformers==5.19.0", "triton", "uvicorn",
)  # fmt: skip
PARSES = """
import json, sys
from sglang.srt.server_args import prepare_server_args
parsed = prepare_server_args(sys.argv[1:])
print(json.dumps({name: getattr(parsed, name) for name in %r}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("environments")
    return Path(environment_from("tunesmith_sglang", PARSER, directory, without_dependencies=("sglang==0.5.23",)).python)


def parsed(python: Path, words: tuple[str, ...], names: list[str]) -> dict[str, object]:
    done = subprocess.run([python, "-c", PARSES % (names,), *words[3:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_every_setting_is_one_of_its_options_and_comes_through(python: Path, start: Any) -> None:
    wanted = {
        "dtype": "float16", "context_length": 2048, "max_running_requests": 5, "mem_fraction_static": 0.5, "chunked_prefill_size": 1024,
        "kv_cache_dtype": "fp8_e5m2", "quantization": "fp8", "disable_radix_cache": True, "tp_size": 2, "pp_size": 2,
    }  # fmt: skip
    told = parsed(python, start(**wanted).command, [*wanted, "served_model_name", "host", "port", "random_seed", "device"])
    where = {"served_model_name": "bot", "host": "127.0.0.1", "port": 8123, "random_seed": 7, "device": "cuda"}
    assert told == {**wanted, **where}


def test_a_users_further_options_are_its_own(python: Path, start: Any) -> None:
    told = parsed(python, start(options={"attention_backend": "triton"}).command, ["attention_backend"])
    assert told == {"attention_backend": "triton"}


def test_the_key_that_closes_other_weights_is_one_of_its_options(python: Path, start: Any) -> None:
    assert parsed(python, (*start().command, "--admin-api-key", "x"), ["admin_api_key", "api_key"]) == {
        "admin_api_key": "x",
        "api_key": None,
    }


def test_what_the_server_imports_of_it_is_there(python: Path) -> None:
    code = "import sglang.launch_server as s; s.run_server, s.load_plugins, s.prepare_server_args, s.kill_process_tree"
    assert subprocess.run([python, "-c", code], check=False).returncode == 0
