"""Two commands that fine-tune, and one that makes one model of what both have learnt."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = pytest.mark.slow


def _tunesmith(folder, *words: str, status: int = 0) -> str:
    found = subprocess.run([sys.executable, "-m", "tunesmith_cli", *words], cwd=folder, capture_output=True, text=True, timeout=300)
    assert found.returncode == status, found.stderr
    return found.stdout + found.stderr


def test_what_earlier_commands_have_tuned_becomes_one_model(tmp_path):
    tiny_model(tmp_path / "base")
    tiny_model(tmp_path / "other", seed=1)
    row = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}
    (tmp_path / "rows.jsonl").write_text((json.dumps(row) + "\n") * 4)
    for name, model, adapter in (("polite", "base", "lora"), ("brief", "base", "full"), ("strange", "other", "lora")):
        _tunesmith(tmp_path, "sft", "--model", model, "--data", "rows.jsonl", "--adapter", adapter, "--max-steps", "2", "--as", name)
    _tunesmith(tmp_path, "combine", "--tuned", "polite", "--tuned", "brief", "--method", "ties", "--output", "both")
    assert "TS-CLI-008" in _tunesmith(tmp_path, "combine", "--tuned", "polite", "--tuned", "strange", status=2)
    told = _tunesmith(
        tmp_path, "combine", "--tuned", "polite", "--method", "passthrough", "--slices", "0[0:2]", "1[0:2]", "--output", "tall"
    )
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert len(AutoModelForCausalLM.from_pretrained(tmp_path / "tall").model.layers) == 4
    shown = _tunesmith(tmp_path, "runs", "show", "--json")
    assert all(f"from `{name}` it is" in shown for name in ("model", "tuned")), told
    AutoModelForCausalLM.from_pretrained(tmp_path / "both")
    assert AutoTokenizer.from_pretrained(tmp_path / "both").chat_template
