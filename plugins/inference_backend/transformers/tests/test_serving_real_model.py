"""SmolLM2-135M-Instruct: right answers, full precision and 4 bits, and memory as estimated."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith_cpu.device import Cpu
from tunesmith_models import ModelShape
from tunesmith_transformers.estimate import estimate
from tunesmith_transformers.settings import TransformersSettings

pytestmark = pytest.mark.slow

NATIVE = pytest.mark.skipif(
    "bfloat16" not in Cpu().probe()[0].dtypes, reason="this processor computes bfloat16 thirty times slower; others do it natively"
)
QUESTIONS = [
    "What is the capital of France?",
    "Name three colours.",
    "Wie heißt die Hauptstadt von Japan?",
    "Write a haiku about rain 🌧.",
] * 3


def ask(client: Any, question: str, **options: Any) -> Any:
    return client.chat.completions.create(
        model="smol", messages=[{"role": "user", "content": question}], **{"max_tokens": 24, "temperature": 0, **options}
    )


def test_answers_in_a_batch_are_as_likely_as_the_best_that_transformers_finds(serve: Any, smollm2: Path) -> None:
    """Every token is the likeliest one by a direct forward pass, within the rounding of ties; log-probabilities agree."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    reference = AutoModelForCausalLM.from_pretrained(smollm2, dtype="float32").eval()
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    with serve(smollm2, "smol") as server, ThreadPoolExecutor(len(QUESTIONS)) as pool:
        client = server.client()
        answers = list(pool.map(lambda question: ask(client, question, logprobs=True, top_logprobs=1), QUESTIONS))
    for question, answer in zip(QUESTIONS, answers, strict=True):
        prompt = tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True)
        content = answer.choices[0].logprobs.content
        said = b"".join(bytes(item.bytes) for item in content).decode(errors="replace")
        assert said == answer.choices[0].message.content
        ids = tokenizer(prompt, add_special_tokens=False).input_ids
        pieces = tokenizer(said, add_special_tokens=False).input_ids
        if len(pieces) != len(content):  # the model spelt a word otherwise than the tokenizer would
            continue
        with torch.inference_mode():
            truth = reference(torch.tensor([ids + pieces])).logits[0, len(ids) - 1 : -1].log_softmax(-1)
        for row, token, item in zip(truth, pieces, content, strict=True):
            assert item.logprob == pytest.approx(row[token].item(), abs=1e-3)
            assert row[token] > row.max() - 1e-3
    assert "Paris" in answers[0].choices[0].message.content


@pytest.mark.parametrize("dtype", ["auto", "bfloat16"])
def test_the_capital_of_france_in_other_number_types(serve: Any, smollm2: Path, dtype: str) -> None:
    with serve(smollm2, "smol", dtype=dtype) as server:
        assert "Paris" in ask(server.client(), QUESTIONS[0]).choices[0].message.content


def test_a_bitsandbytes_checkpoint_is_served_in_4_bits(serve: Any, smollm2: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    pytest.importorskip("bitsandbytes", reason="the extra `bnb` is not installed")
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    AutoModelForCausalLM.from_pretrained(smollm2, quantization_config=config, dtype=torch.bfloat16).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(smollm2).save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size < 150 * 2**20
    with serve(tmp_path, "smol", dtype="auto", format="model/bnb") as server, ThreadPoolExecutor(4) as pool:
        client = server.client()
        answers = list(pool.map(lambda question: ask(client, question), QUESTIONS[:4]))
    assert "Paris" in answers[0].choices[0].message.content


SCRIPT = """
import json, re, sys, threading, urllib.request
from pathlib import Path
from tunesmith.contracts import Address, Artifact
from tunesmith_serve.settings import ServeSettings
from tunesmith_sdk.local_step import LocalStep
from tunesmith_transformers.backend import TransformersBackend
from tunesmith_transformers.settings import TransformersSettings
step = LocalStep.make(Path(sys.argv[2]), settings=ServeSettings())
settings = TransformersSettings(**json.loads(sys.argv[3]))
model = Artifact("model/hf", Path(sys.argv[1]))
serve = threading.Thread(target=TransformersBackend(settings).serve, args=(model, "smol", Address(), step))
serve.start()
step.reports.ready.wait()
# answers so long that the first still runs when the last prompt has been read
answer = 2 * settings.max_num_seqs + 8
body = {"model": "smol", "prompt": [[5] * (settings.max_model_len - answer)] * settings.max_num_seqs, "max_tokens": answer,
"ignore_eos": True}
url = step.reports.facts["url"] + "/completions"
request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
assert len(json.load(urllib.request.urlopen(request))["choices"]) == settings.max_num_seqs
step.cancelled.set()
serve.join()
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])  # not ru_maxrss: it is handed down by the parent
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("dtype", [pytest.param("bfloat16", marks=NATIVE), "float32"])
def test_the_estimate_is_the_measured_peak_of_a_full_server(smollm2: Path, tmp_path: Path, dtype: str) -> None:
    settings = asdict(TransformersSettings(dtype=dtype, max_num_seqs=8, max_model_len=1024))
    command = [sys.executable, "-c", SCRIPT, str(smollm2), str(tmp_path), json.dumps(settings)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    peak = int(run.stdout.split()[-1]) * 1024
    shape = ModelShape.from_config(json.loads((smollm2 / "config.json").read_text()))
    size = (smollm2 / "model.safetensors").stat().st_size
    terms = estimate(EstimateRequest(shape.config, size, settings)).terms
    assert sum(terms.values()) == pytest.approx(peak, rel=0.1), terms
