"""Every method that keeps to modules trains in the engine's own decoder as in transformers' model."""

from __future__ import annotations

import pytest
import torch

from tunesmith_peft.adapter import Peft
from tunesmith_peft.methods import described, modules_only
from tunesmith_peft.settings import PeftSettings
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api import TokenSequence
from tunesmith_torch.api.model import label_log_probs, load_model, pack
from tunesmith_torch.model.dense.loader import load_dense

#: sizes that fit a model of 64 inputs, where PEFT's defaults are for large ones
OPTIONS = {
    "boft": {"boft_block_size": 4}, "c3a": {"block_size": 16}, "fourierft": {"n_frequency": 50}, "oft": {"oft_block_size": 4},
    "ia3": {"target_modules": ["k_proj", "v_proj", "down_proj"], "feedforward_modules": ["down_proj"]}, "road": {"group_size": 32},
    "shira": {"r": 8}, "vblora": {"vector_length": 16, "num_vectors": 8}, "waveft": {"n_frequency": 50},
}  # fmt: skip
METHODS = [(method, OPTIONS.get(method, {})) for method in sorted(described()["methods"]) if modules_only(method, {})]
LORA = [("lora", {"use_dora": True}), ("lora", {"bias": "all"}), ("lora", {"target_modules": ["lm_head", "v_proj"]})]
SEQUENCES = [TokenSequence(list(range(start, start + length)), [False] + [True] * (length - 1)) for start, length in ((3, 14), (40, 9))]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("peft"), initializer_range=0.2)


@pytest.mark.parametrize(("method", "options"), [*METHODS, *LORA], ids=str)
def test_losses_and_gradients_are_those_of_the_reference(directory, method, options):
    found = []
    for load in (load_dense, load_model):
        model, adapter = load(directory).eval(), Peft(PeftSettings(method, options))
        assert adapter.modules_only
        adapter.attach(model, seed=3, reference=True)
        parameters = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))) * 0.02)
        values = label_log_probs(model, pack(SEQUENCES))
        values.sum().backward()
        found.append((values.detach(), {name: parameter.grad for name, parameter in parameters.items()}))
    (ours, our_gradients), (theirs, their_gradients) = found
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert our_gradients.keys() == their_gradients.keys()
    for name, gradient in their_gradients.items():
        assert (gradient is None) == (our_gradients[name] is None), name
        if gradient is not None:
            assert (our_gradients[name] - gradient).abs().max() <= 2e-4 * (gradient.abs().max() + 1e-6), name


@pytest.mark.parametrize(
    ("method", "options"),
    [("ln_tuning", {}), ("trainable_tokens", {"token_indices": [3]}), ("lily", {}), ("lora", {"modules_to_save": ["lm_head"]})],
    ids=str,
)
def test_what_changes_more_than_linear_layers_says_so(method, options):
    assert not Peft(PeftSettings(method, options)).modules_only
