"""What the plan knows of QLoRA before anything runs: what merging loses, and what can't be merged."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tunesmith_sdk.tiny_models import tiny_model

ROW = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plans")
    tiny_model(folder / "model")
    (folder / "rows.jsonl").write_text(json.dumps(ROW) + "\n")
    return folder


def plan(home, **steps):
    file = home / "tunesmith.yaml"
    file.write_text(json.dumps({"name": "plans", "model": f"file://{home / 'model'}", "steps": steps}))
    done = subprocess.run([sys.executable, "-m", "tunesmith_cli", "plan", str(file)], cwd=home, capture_output=True, text=True, timeout=120)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def tuned(**more):
    settings = {key: more.pop(key) for key in ("merge_into",) if key in more}
    return {"train": "sft", "adapter": {"qlora": settings}, "data": "rows.jsonl", **more}


def test_what_merging_loses_is_said_where_the_planner_inserts_it(home):
    code, said = plan(home, tune=tuned(), score={"evaluate": "perplexity", "data": "rows.jsonl", "from": "tune"})
    assert code == 0
    assert "merge (qlora)" in said
    assert "keeps the rounding of 4 bits" in said


def test_full_weights_of_a_base_stored_in_4_bits_are_refused(home):
    small = {"quantize": {"bitsandbytes": {"bnb_4bit_quant_type": "nf4"}}}
    code, said = plan(home, small=small, tune=tuned(merge_into="full", **{"from": "small"}))
    assert code == 2
    assert "TS-PLAN-003" in said
    assert "weights that a base stored in 4 bits no longer has" in said
    assert plan(home, small=small, tune=tuned(**{"from": "small"}))[0] == 0
