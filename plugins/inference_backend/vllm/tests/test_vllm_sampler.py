"""The real vLLM on a processor as the sampler of a training step; PEFT computes the same adapters beside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import Artifact, TunesmithError
from tunesmith_sdk.conformance.materials.materials import Materials
from tunesmith_sdk.testing.serving import Server
from tunesmith_serve.orphan_reaper import below
from tunesmith_serve.sampler_client import SamplerClient
from tunesmith_serve.updatable import SamplingOptions

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1200)]

OPTIONS = SamplingOptions(4, 8, 0.7, (), (2,))
EXACT = 1e-3  # nats of a token, of a tiny model in float32
PROMPTS = [[1, 40, 41, 42, 43], [1, 50, 51]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The kit's tiny model, which knows a few sentences."""
    return Artifact("model/hf", Materials(load_config().cache, tmp_path_factory.mktemp("materials"), "").path("taught"))


@pytest.fixture(scope="module")
def adapters(tiny: Artifact, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two that change what the model says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        config = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
        tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny.path, dtype=torch.float32), config)
        found.append(tmp_path_factory.mktemp("adapter"))
        tuned.save_pretrained(found[-1])
    return found


@pytest.fixture(scope="module")
def server(serve: Any, tiny: Artifact) -> Iterator[Server]:
    with serve(tiny, step={"updatable": True}, dtype="float32", max_model_len=256) as running:
        yield running


@pytest.fixture
def sampler(server: Server) -> SamplerClient:
    return SamplerClient(Artifact("endpoint/openai", Path(), meta=server.step.reports.facts), "writer", lambda: None)


def merged(tiny: Artifact, adapter: Path) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny.path, dtype=torch.float32), adapter).merge_and_unload()


def computed(tiny: Artifact, adapter: Path, prompt: list[int], tokens: list[int], temperature: float) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny.path, dtype=torch.float32), adapter)
    with torch.no_grad():
        logs = (model(torch.tensor([[*prompt, *tokens]])).logits[0].float() / temperature).log_softmax(-1)
    return torch.tensor([float(logs[len(prompt) - 1 + at, token]) for at, token in enumerate(tokens)])


def test_it_samples_with_the_adapter_that_it_was_given_last_and_says_so(sampler: SamplerClient, tiny: Artifact, adapters: Any) -> None:
    import torch

    for version, adapter in ((0, adapters[0]), (1, adapters[1]), (1, adapters[0])):  # the last: a run that went back
        sampler.load(Artifact("adapter/peft", adapter), version)
        found = sampler.complete(PROMPTS, [3, 4], OPTIONS)
        assert {one.version for own in found for one in own} == {version}
        assert len({tuple(one.tokens) for one in found[0]}) > 1  # a prompt's completions are drawn apart
        for prompt, own in zip(PROMPTS, found, strict=True):
            assert len(own) == OPTIONS.n
            for one in own:
                assert len(one.tokens) <= OPTIONS.max_tokens
                assert one.finished == (one.tokens[-1] == 2)
                wanted = computed(tiny, adapter, prompt, list(one.tokens), OPTIONS.temperature)
                assert float((torch.tensor(one.log_probs) - wanted).abs().max()) < EXACT


def test_whole_weights_take_the_place_of_its_own_and_adapters_are_of_the_base_again(
    sampler: SamplerClient, tiny: Artifact, adapters: Any, tmp_path: Path
) -> None:
    import torch

    for version, adapter in enumerate(adapters):
        merged(tiny, adapter).save_pretrained(tmp_path / str(version))
        sampler.load(Artifact("model/hf", tmp_path / str(version)), version)
        ((one, *_), _) = sampler.complete(PROMPTS, [3, 4], OPTIONS)
        assert one.version == version
        wanted = computed(tiny, adapter, PROMPTS[0], list(one.tokens), OPTIONS.temperature)
        assert float((torch.tensor(one.log_probs) - wanted).abs().max()) < EXACT
    sampler.load(Artifact("adapter/peft", adapters[0]), 2)
    ((one, *_), _) = sampler.complete(PROMPTS, [3, 4], OPTIONS)
    wanted = computed(tiny, adapters[0], PROMPTS[0], list(one.tokens), OPTIONS.temperature)
    assert float((torch.tensor(one.log_probs) - wanted).abs().max()) < EXACT


def test_an_engine_that_is_killed_is_told_and_takes_an_adapter_once_it_is_up_again(sampler: SamplerClient, adapters: Any) -> None:
    sampler.load(Artifact("adapter/peft", adapters[0]), 0)
    (reaper,) = [pid for pid in below(os.getpid()) if b"orphan_reaper" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    for engine in below(reaper):
        os.kill(engine, signal.SIGKILL)
    with pytest.raises(TunesmithError, match="TS-TRAIN-136"):
        sampler.complete(PROMPTS, [3, 4], OPTIONS)
    sampler.load(Artifact("adapter/peft", adapters[1]), 1)
    assert {one.version for own in sampler.complete(PROMPTS, [3, 4], OPTIONS) for one in own} == {1}
