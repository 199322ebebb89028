"""`tunesmith estimate` on real plugins: from a bare config.json, with the way taken; and near a real run's peak."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith_cli.main import main
from tunesmith_sdk.tiny_models import tiny_model

CONFIG = {
    "model_type": "llama", "hidden_size": 512, "num_hidden_layers": 8, "intermediate_size": 1536, "num_attention_heads": 8,
    "num_key_value_heads": 4, "vocab_size": 8000, "max_position_embeddings": 2048, "tie_word_embeddings": True, "dtype": "bfloat16",
}  # fmt: skip


#: Runs a command and prints the peak of its largest process. A process of its own, for a child's peak counts what its parent held when it
#: was forked, and the tests' process may be larger than what is measured.
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def tell(*words, **config):
        (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **config}))
        status = main(["estimate", *words, "--model", "config.json", "--json"])
        return status, json.loads(capsys.readouterr().out)

    return tell


def ways(found):
    return {decision["what"]: decision["reason"] for decision in found["estimates"][0]["decisions"]}


def test_the_way_taken_is_said_with_its_reason(told):
    assert "the engine's own decoder" in ways(told("sft", "--adapter", "lora")[1])
    assert "granite is none of" in ways(told("sft", "--adapter", "lora", model_type="granite")[1])["transformers' model"]
    assert "the engine's own decoder" in ways(told("sft", "--adapter", "full")[1])
    assert "the engine's own decoder" in ways(told("sft", "--adapter", "qlora")[1])
    assert "may need more" in ways(told("sft", "--adapter", "prompt")[1])["transformers' model"]


def test_without_an_adapter_all_are_compared(told):
    found = {one["of"]: one["memory"] for one in told("sft")[1]["estimates"]}
    assert {"lora", "full", "qlora"} <= found.keys()
    assert found["lora"] < found["full"]


def test_a_method_may_be_named_as_an_option(told):
    terms = [told(*words, "--adapter", "lora")[1]["estimates"][0]["terms"] for words in (("--method", "dpo"), ("dpo",))]
    assert terms[0] == terms[1]
    assert told("--method", "qlora")[1]["estimates"][0]["providers"]["adapter"] == "qlora"


def test_a_slip_in_a_method_is_answered_with_the_one_that_was_meant(capsys):
    assert main(["estimate", "--method", "qlroa", "--model", "config.json"]) == 2
    assert "Did you mean `qlora`?" in capsys.readouterr().err


def test_what_would_need_less_is_listed_and_does(told):
    _, found = told("sft", "--adapter", "full", "--max-length", "512")
    words = [one["with"] for one in found["less"]]
    assert words[:2] == ["--max-tokens-per-microbatch 512", "--max-tokens-per-microbatch 512 --gradient-checkpointing"]
    assert any(word.startswith("--adapter lora --dtype") for word in words)
    assert all(one["memory"] < found["estimates"][0]["memory"] for one in found["less"])


def test_what_would_need_less_is_held_against_the_memory_of_its_host_and_by_its_time(told, capsys):
    llama = {
        "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
        "vocab_size": 128256, "tie_word_embeddings": False, "max_position_embeddings": 131072,
    }  # fmt: skip
    words = ("dpo", "--adapter", "prefix", "--on", "2xA100-80", "--max-tokens-per-microbatch", "4096", "--no-gradient-checkpointing")
    (full,) = (one for one in told(*words, **llama)[1]["less"] if one["of"] == "full")
    assert full["least"]["needed"] < full["least"]["device"]["memory"]
    assert full["least"]["host"] > full["least"]["device"]["host"] > 0
    assert full["least"]["fits"] is False
    assert main(["estimate", *words, "--model", "config.json"]) == 1
    page = capsys.readouterr().out
    assert re.search(r"--adapter full .*does not fit, not even with .*GiB of the host's for each device, [\d.]+ times as slow", page)
    assert re.search(r"--adapter qlora .*fits with --gradient-checkpointing: .*1\.3 times as slow", page)


def test_how_many_processes_are_reckoned_with_is_said_and_no_more_than_there_are_devices(told, capsys):
    words = ("estimate", "sft", "--adapter", "lora", "--strategy", "ddp", "--model", "config.json")
    assert told("sft", "--adapter", "lora", "--strategy", "ddp", "--on", "8xH100")[1]["estimates"][0]["processes"] == 2
    assert main([*words, "--on", "8xH100"]) == 0
    assert "adamw, in 2 processes on 2 of 8 devices\n" in capsys.readouterr().out
    assert main([*words, "--on", "H100", "--strategy.num_processes", "4"]) == 1
    page = capsys.readouterr().out
    assert "4 processes need 4 devices, and there is 1 (H100-80GB) (TS-TRAIN-077)" in page


def test_what_would_need_less_is_compared_process_by_process(told):
    words = ("sft", "--adapter", "lora", "--strategy", "ddp", "--strategy.num_processes", "2", "--device", "cpu")
    found = told(*words)[1]
    assert found["estimates"][0]["device"]["sharing"] == 2
    assert all(0 < one["memory"] < found["estimates"][0]["memory"] for one in found["less"])


CASES = Path(__file__).parents[5] / "tests" / "cases" / "estimates"


def told_of(case, *words, capsys):
    main(["estimate", "sft", "--model", str(CASES / f"{case}.json"), *words, "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("where", [("--device", "cuda"), ("--on", "A10")], ids=str)
def test_a_gpu_that_is_not_here_is_reckoned_with_as_one(capsys, where):
    (found,) = told_of("qwen3-8b", "--dtype", "bfloat16", "--adapter", "qlora", *where, capsys=capsys)["estimates"]
    assert found["terms"]["weights"] == pytest.approx(6 * 2**30, rel=0.05)
    assert found["device"]["backend"] == "cuda"
    assert "files while loading" not in found["terms"]


def test_a_named_card_says_what_it_computes_in(capsys):
    types = {}
    for name in ("A10", "T4"):
        found = told_of("qwen3-8b", "--on", name, capsys=capsys)["estimates"]
        types[name] = [(one["settings"], one["remark"]) for one in found if one["of"] == "lora"]
    assert types["A10"] == [({"dtype": "bfloat16"}, ""), ({"dtype": "float32"}, "")]
    assert types["T4"] == [({"dtype": "float16"}, ""), ({"dtype": "float32"}, "")]


def test_the_advice_says_with_which_adapter_numbers_and_micro_batch_it_fits(capsys):
    found = told_of("qwen3-8b", "--on", "A10", capsys=capsys)["estimates"]
    seen = {(one["of"], one["settings"].get("dtype")): one for one in found}
    lora = seen["lora", "bfloat16"]
    assert lora["fits"], lora["chosen"]
    assert lora["chosen"] == {"max_tokens_per_microbatch": 2048, "gradient_checkpointing": True}
    assert (seen["full", "bfloat16"]["fits"], seen["full", "bfloat16"]["least"]) == (False, None)  # all that saves was taken


def test_experts_count_and_those_that_are_not_kept_in_few_bits_are_told(capsys):
    found = told_of("mixtral-8x7b", "--adapter", "qlora", "--on", "A100-80GB", capsys=capsys)
    assert "46.70 billion parameters, 12.88 compute a token" in found["what"]
    assert found["estimates"][0]["terms"]["weights"] > 2 * 45e9
    assert "45.1 billion" in ways(found)["its memory"]


def test_what_can_not_fit_ends_with_status_1(told):
    status, found = told("sft", "--adapter", "full", hidden_size=65536, intermediate_size=262144, num_hidden_layers=96)
    assert status == 1
    assert found["estimates"][0]["fits"] is False


def test_inference_is_estimated_too(told):
    terms = told("serve", "transformers", "--max-num-seqs", "4")[1]["estimates"][0]["terms"]
    assert {"weights", "kv cache"} <= terms.keys()
    assert "weights" in told("eval", "perplexity", "--dtype", "bfloat16")[1]["estimates"][0]["terms"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read as Linux counts it")
@pytest.mark.parametrize(("adapter", "length"), [("lora", "512"), ("full", "256")])
def test_an_estimate_is_within_a_tenth_of_the_peak(told, tmp_path, adapter, length):
    words = ["sft", "--adapter", adapter, "--dtype", "float32", "--batch-size", "4", "--max-length", length]
    found = told(*words, "--length", length, "--rows", "4", dtype="float32")[1]["estimates"][0]
    model = tiny_model(
        tmp_path / "model", **{name: value for name, value in CONFIG.items() if name not in ("model_type", "dtype")}, head_dim=64
    )
    # No two begin alike: what rows have in common is computed once, and the estimate does not reckon with that.
    turns = [[{"role": "user", "content": word}, {"role": "assistant", "content": f"a {word} " * 800}] for word in ("x", "yes", "far", "0")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"messages": row}) + "\n" for row in turns))
    command = [sys.executable, "-m", "tunesmith_cli.main", *words, "--model", str(model), "--data", "rows.jsonl", "--max-steps", "2"]
    run = [sys.executable, "-c", MEASURED, *command, "--num-train-epochs", "2", "--home", str(tmp_path / "home")]
    peak = int(subprocess.run(run, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True).stdout)
    assert found["memory"] == pytest.approx(peak * 1024, rel=0.1), found["terms"]
