"""LoRA adapters beside their base, by the real vLLM on a processor; PEFT computes the same beside it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import Artifact
from tunesmith_sdk.conformance.materials.materials import Materials
from tunesmith_sdk.testing.serving import Server

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1200)]

NAMES = ("bot", "polite", "terse")
TEXT = "What is the capital of France? Paris is the capital of France."


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The kit's tiny model, which knows a few sentences."""
    return Artifact("model/hf", Materials(load_config().cache, tmp_path_factory.mktemp("materials"), "").path("taught"))


@pytest.fixture(scope="module")
def adapters(tiny: Artifact, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """Two of different ranks, on different layers, that change what the model says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    found = {}
    for name, rank, layers in (("polite", 4, ["q_proj", "v_proj", "down_proj"]), ("terse", 24, ["k_proj", "o_proj", "up_proj"])):
        torch.manual_seed(rank)
        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=layers, init_lora_weights=False)
        tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny.path, dtype=torch.float32), config)
        path = tmp_path_factory.mktemp(name)
        tuned.save_pretrained(path)
        found[name] = Artifact("adapter/peft", path)
    return found


@pytest.fixture(scope="module")
def server(serve: Any, tiny: Artifact, adapters: dict[str, Artifact]) -> Iterator[Server]:
    with serve(tiny, adapters, dtype="float32", max_model_len=256) as running:
        yield running


def told(server: Server, name: str, ids: list[int]) -> list[float]:
    """The log-probabilities of a text's tokens after the first."""
    reply = server.client().completions.create(model=name, prompt=ids, max_tokens=1, echo=True, logprobs=1)
    return reply.choices[0].logprobs.token_logprobs[1 : len(ids)]


def test_the_base_and_each_adapter_are_models_by_their_names(server: Server) -> None:
    assert {model.id for model in server.client().models.list()} == {*NAMES}


def test_each_computes_what_peft_computes_also_when_all_are_asked_at_once(server: Server, tiny: Artifact, adapters: Any) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ids = AutoTokenizer.from_pretrained(tiny.path)(TEXT).input_ids
    with ThreadPoolExecutor(12) as pool:
        asked = [NAMES[number % 3] for number in range(12)]
        given = list(zip(asked, pool.map(lambda name: told(server, name, ids), asked), strict=True))
    wanted = {}
    for name in NAMES:
        reference = AutoModelForCausalLM.from_pretrained(tiny.path, dtype=torch.float32)
        if name in adapters:
            reference = PeftModel.from_pretrained(reference, adapters[name].path)
        with torch.no_grad():
            logits = reference(torch.tensor([ids])).logits[0].log_softmax(-1)
        wanted[name] = torch.tensor([float(logits[place, token]) for place, token in enumerate(ids[1:])])
        for _, values in (pair for pair in given if pair[0] == name):
            assert float((torch.tensor(values) - wanted[name]).abs().max()) < 2e-2, name
    assert min(float((wanted["bot"] - wanted[name]).abs().max()) for name in adapters) > 0.5  # they do change what it says
