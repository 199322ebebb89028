"""The command line as settings make it, the estimate, and what is refused. No LMDeploy here."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_lmdeploy.estimate import LIBRARIES, estimate
from tunesmith_lmdeploy.settings import LmdeploySettings
from tunesmith_models import ModelShape, configuration


def given(words: tuple[str, ...], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_it_serves_the_steps_model_under_the_steps_name_at_the_steps_address(start: Any, model: Artifact) -> None:
    made = start()
    wanted = {
        "api_server": str(model.path), "--model-name": "bot", "--server-name": "127.0.0.1", "--server-port": "8123", "--device": "cuda",
        "--dtype": "bfloat16", "--allow-origins": "http://127.0.0.1:8123",
    }  # fmt: skip
    assert {name: given(made.command, name) for name in wanted} == wanted
    assert made.environment["HF_HUB_OFFLINE"] == "1"
    assert made.environment["TUNESMITH_SERVE_ALLOWED_HOSTS"] == "llm.example"


@pytest.mark.parametrize("format", ["hf", "awq", "gptq", "compressed-tensors"])
def test_the_artifacts_format_is_told(start: Any, format: str) -> None:
    assert given(start(f"model/{format}").command, "--model-format") == format


@pytest.mark.parametrize(("asked", "told"), [(4096, "4096"), (100_000, "8192"), (0, None)])
def test_texts_are_no_longer_than_the_model_allows(start: Any, asked: int, told: str | None) -> None:
    assert given(start(session_len=asked).command, "--session-len") == told


def test_further_options_are_passed_on_and_win(start: Any) -> None:
    words = start(options={"communicator": "nccl", "disable-metrics": True, "tp": 4}).command
    assert given(words, "--communicator") == "nccl"
    assert "--disable-metrics" in words
    assert given(words, "--tp") == "4"


@pytest.mark.parametrize(
    "name", ["server_port", "model-name", "trust_remote_code", "api_keys", "allow_terminate_by_client", "allow_origins"]
)
def test_what_is_the_steps_or_would_open_the_server_is_refused(start: Any, name: str) -> None:
    with pytest.raises(UserError, match="TS-SERVE-030") as caught:
        start(options={name: 2})
    assert name.replace("-", "_") in caught.value.fix


def test_a_switch_that_is_off_anyway_can_not_be_switched_off(start: Any) -> None:
    with pytest.raises(UserError, match="TS-SERVE-030: LMDeploy's option `disable_metrics` can't be switched off"):
        start(options={"disable_metrics": False})


def test_memory_is_weights_keys_values_and_libraries_and_quantized_weights_stay_small(model: Artifact) -> None:
    shape = ModelShape.from_config(configuration(model.path))
    settings = fill(schema_of(LmdeploySettings), {"session_len": 1024})
    on = {"device": "cuda", "dtypes": ("float32", "bfloat16")}
    plain = estimate(EstimateRequest(shape.config, 269_060_552, settings, **on))
    assert plain.terms["weights"] == pytest.approx(269e6, rel=0.01)
    assert plain.terms["kv cache"] == shape.kv_bytes(64 * 1024)
    assert plain.terms["libraries"] == LIBRARIES
    assert any("cache_max_entry_count" in note for note in plain.notes)
    assert estimate(EstimateRequest(shape.config, 110_000_000, settings, **on)).terms["weights"] == 110_000_000
