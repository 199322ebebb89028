"""What needs no converter: its command, its complaints, the files beside, the estimate."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact, EstimateRequest
from tunesmith_gguf import exporter, llamacpp
from tunesmith_gguf.estimate import estimate
from tunesmith_gguf.settings import GgufSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_the_converter_runs_in_the_environments_own_interpreter():
    words = exporter.command(Path("model"), Path("out/model.gguf"), "q8_0", "my model")
    assert words[0] == sys.executable
    assert words[words.index("--outtype") + 1] == "q8_0"
    assert words[words.index("--model-name") + 1] == "my model"


def test_where_llama_cpp_is_not_there_it_says_so_and_the_check_goes_the_other_way(tmp_path: Path):
    assert llamacpp._library() is None
    assert llamacpp.log_probs(tmp_path, [[1, 2]]) is None


def test_a_prompt_is_read_at_once_and_its_last_tokens_one_by_one():
    assert list(llamacpp._pieces(7)) == [(0, 3), (3, 4), (4, 5), (5, 6), (6, 7)]
    assert list(llamacpp._pieces(2)) == [(0, 1), (1, 2)]


def test_the_tokenizer_and_the_config_lie_beside_the_file(tmp_path: Path, local_step, monkeypatch: pytest.MonkeyPatch):
    model = tmp_path / "model"
    model.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "README.md"):
        (model / name).write_text(name)
    (model / "model.safetensors").write_bytes(b"\x02" + 7 * b"\0" + b"{}")  # whole, with nothing in it
    step = local_step()
    writes = python(f"open({str(step.output / 'model.gguf')!r}, 'w').write('GGUF')")
    monkeypatch.setattr(exporter, "command", lambda *arguments: writes)
    result = exporter.GgufExporter(GgufSettings()).export(Artifact("model/hf", model), step.output, step)
    written = {path.name for path in step.output.iterdir()}
    assert written == {"model.gguf", "config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}
    assert result.metrics == {"bytes": 4.0, "ratio": 4 / 10}


@pytest.mark.parametrize(("type", "bytes"), [("f32", 539_845_472), ("f16", 270_885_728), ("bf16", 270_885_728), ("q8_0", 144_810_848)])
def test_the_size_is_estimated_from_the_shape_alone(type: str, bytes: int):
    """The sizes are those of SmolLM2-135M as the converter wrote it; its peak was 565 to 575 MiB."""
    found = estimate(EstimateRequest(SMOLLM2, 269_060_552, {"outtype": type}))
    assert found.disk == pytest.approx(bytes, rel=0.01)
    assert found.memory == pytest.approx(570 * 2**20, rel=0.1)
    assert estimate(EstimateRequest({}, 269_060_552, {"outtype": type})).notes
