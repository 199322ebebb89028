"""Several models of one base become one: the differences are PEFT's business, which files and which numbers is ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from peft.utils import merge_utils
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from tunesmith.contracts import Artifact, EstimateRequest, TunesmithError, UserError
from tunesmith_audit.artifact_check import Audit
from tunesmith_audit.files.stacked_layers import audit_stacked
from tunesmith_audit.settings import AuditSettings
from tunesmith_combine import passthrough
from tunesmith_combine.combine import run
from tunesmith_combine.estimate import combine
from tunesmith_combine.layer_slices import check_config, stack, stacked_config
from tunesmith_combine.merge_methods import sparsified, together
from tunesmith_combine.plugin import verb
from tunesmith_combine.settings import CombineSettings
from tunesmith_sdk.testing.model_configs import SMOLLM2
from tunesmith_sdk.tiny_models import tiny_model

SMALL = LlamaConfig(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, vocab_size=64)


@pytest.fixture
def models(tmp_path):
    torch.manual_seed(0)
    base = LlamaForCausalLM(SMALL).to(torch.bfloat16)
    base.save_pretrained(tmp_path / "base")
    for name in ("one", "other"):
        with torch.no_grad():
            for parameter in base.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        base.save_pretrained(tmp_path / name, max_shard_size="8KB" if name == "other" else "1GB")
    return {name: tmp_path / name for name in ("base", "one", "other")}


def _combined(models, output: Path, **settings) -> dict[str, torch.Tensor]:
    output.mkdir()
    inputs = {"model": models["base"], "tuned": models["one"], "tuned.2": models["other"]}
    step = SimpleNamespace(
        inputs={name: SimpleNamespace(path=path) for name, path in inputs.items()}, settings=CombineSettings(**settings), output=output,
        seed=3, check_cancelled=lambda: None, progress=lambda *a, **k: None,
        decide=lambda what, reason: None, name="both", work=output,
    )  # fmt: skip
    run(step)
    AutoModelForCausalLM.from_pretrained(output)
    return _weights(output)


def _weights(directory: Path) -> dict[str, torch.Tensor]:
    return {name: value for path in sorted(directory.glob("*.safetensors")) for name, value in load_file(path).items()}


def test_linear_is_the_weighted_sum_of_what_was_learnt(models, tmp_path):
    found = _combined(models, tmp_path / "out", weights=[0.75, 0.5])
    base, one, other = (_weights(models[name]) for name in ("base", "one", "other"))
    assert found.keys() == base.keys()
    for name, value in found.items():
        expected = base[name].float() + 0.75 * (one[name].float() - base[name].float()) + 0.5 * (other[name].float() - base[name].float())
        assert value.dtype == torch.bfloat16
        assert torch.equal(value, expected.to(torch.bfloat16))


def test_without_weights_all_count_alike(models, tmp_path):
    assert all(
        torch.equal(value, other)
        for value, other in zip(
            _combined(models, tmp_path / "a").values(), _combined(models, tmp_path / "b", weights=[0.5, 0.5]).values(), strict=True
        )
    )


def test_ties_is_pefts(models, tmp_path):
    found = _combined(models, tmp_path / "out", merge_method="ties", density=0.3)
    base, one, other = (_weights(models[name]) for name in ("base", "one", "other"))
    name = "model.layers.1.mlp.up_proj.weight"
    differences = [tuned[name].float() - base[name].float() for tuned in (one, other)]
    expected = base[name].float() + merge_utils.ties(differences, torch.tensor([0.5, 0.5]), 0.3)
    assert torch.equal(found[name], expected.to(torch.bfloat16))


@pytest.mark.parametrize("method", ["dare", "dare-ties"])
def test_what_is_drawn_follows_from_the_seed(models, tmp_path, method):
    found = [_combined(models, tmp_path / str(at), merge_method=method, density=0.5) for at in range(2)]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    linear = _combined(models, tmp_path / "linear")
    assert any(not torch.equal(found[0][name], linear[name]) for name in linear)


def test_what_nobody_changed_stays_bit_equal(models, tmp_path):
    name = "model.norm.weight"
    for folder in ("one", "other"):
        for path in models[folder].glob("*.safetensors"):
            weights = load_file(path)
            if name in weights:
                weights[name] = _weights(models["base"])[name]
                save_file(weights, path, metadata={"format": "pt"})
    assert torch.equal(_combined(models, tmp_path / "out", merge_method="dare")[name], _weights(models["base"])[name])


def test_weights_are_one_for_each_model(models, tmp_path):
    with pytest.raises(UserError, match="TS-TRAIN-070"):
        _combined(models, tmp_path / "out", weights=[1.0])


@pytest.mark.parametrize("changes", [{"intermediate_size": 32}, {"num_hidden_layers": 3}])
def test_a_model_of_another_base_is_refused(models, tmp_path, changes):
    LlamaForCausalLM(LlamaConfig(**{**SMALL.to_dict(), **changes})).save_pretrained(tmp_path / "strange")
    with pytest.raises(UserError, match="TS-TRAIN-071"):
        _combined({**models, "other": tmp_path / "strange"}, tmp_path / "out")


def _drawn() -> tuple[torch.Tensor, list[torch.Tensor]]:
    """A base, and three models that share a part of what they learnt."""
    drawn = torch.Generator().manual_seed(0)
    base, a, b, c = (torch.randn(3, 4, generator=drawn) for _ in range(4))
    return base, [base + 0.3 * a, base + 0.3 * b + 0.2 * a, base + 0.3 * c + 0.1 * a]


#: what mergekit 0.1.5 makes of them
SLERP = [
    [1.3351618, 0.1184104, -2.6001182, 0.5333889],
    [-1.2468153, -1.3710231, 0.2106589, 0.3141458],
    [-0.6056219, 0.0390117, -0.5465001, 0.4170796],
]
STOCK = [
    [1.3500394, -0.0715544, -2.4152744, 0.4588654],
    [-1.1738888, -1.3749527, 0.3080706, 0.4454193],
    [-0.7309194, -0.1646325, -0.6078431, 0.3010229],
]


def test_slerp_and_model_stock_are_mergekits():
    base, models = _drawn()
    differences = [model - base for model in models]
    arc = together(base, differences[:2], [0.7, 0.3], CombineSettings(merge_method="slerp"))
    torch.testing.assert_close(base + arc, torch.tensor(SLERP), rtol=0, atol=1e-6)
    stock = together(base, differences, [1 / 3] * 3, CombineSettings(merge_method="model-stock"))
    torch.testing.assert_close(base + stock, torch.tensor(STOCK), rtol=0, atol=1e-6)


def test_della_keeps_what_is_large_more_often_and_is_right_on_average():
    row = torch.tensor([[0.01, -0.2, 3.0, -40.0]])
    torch.manual_seed(0)
    found = torch.stack([sparsified(row, 0.5, 0.3) for _ in range(4000)])
    kept = (found != 0).float().mean(0)
    torch.testing.assert_close(kept, torch.tensor([[0.2, 0.4, 0.6, 0.8]]), rtol=0, atol=0.03)
    torch.testing.assert_close(found.mean(0), row, rtol=0.15, atol=0)


def test_a_merge_by_della_follows_from_the_seed_and_keeps_the_base_where_models_agree(models, tmp_path):
    found = [_combined(models, tmp_path / str(at), merge_method="della", density=0.4, epsilon=0.2) for at in range(2)]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert any(not torch.equal(value, _weights(models["base"])[name]) for name, value in found[0].items())


def test_layers_stand_upon_each_other_as_they_are(models, tmp_path, monkeypatch):
    monkeypatch.setattr(passthrough, "LARGEST", 6000.0)  # several files
    found = _combined(models, tmp_path / "out", merge_method="passthrough", slices=["1[0:2]", "2[1:2]"])
    weights = {number: _weights(models[name]) for number, name in enumerate(("base", "one", "other"))}
    for at, (model, layer) in enumerate([(1, 0), (1, 1), (2, 1)]):
        for name in ("self_attn.q_proj.weight", "mlp.down_proj.weight", "input_layernorm.weight"):
            assert torch.equal(found[f"model.layers.{at}.{name}"], weights[model][f"model.layers.{layer}.{name}"])
    assert torch.equal(found["model.embed_tokens.weight"], weights[1]["model.embed_tokens.weight"]), "of the first layer's model"
    assert torch.equal(found["model.norm.weight"], weights[2]["model.norm.weight"]), "of the last one's"
    assert len(list((tmp_path / "out").glob("*.safetensors"))) > 1
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["num_hidden_layers"], len(config.get("layer_types", "abc"))) == (3, 3)


def test_a_stack_says_what_is_in_it_and_is_audited_by_that(models, tmp_path):
    _combined(models, tmp_path / "out", merge_method="passthrough", slices=["0[0:2]", "1[0:2]"])
    sources, stood = {"model": models["base"], "tuned": models["one"]}, [("model", 0), ("model", 1), ("tuned", 0), ("tuned", 1)]
    assert not audit_stacked(sources, tmp_path / "out", stood).findings
    swapped = audit_stacked(sources, tmp_path / "out", [stood[1], stood[0], *stood[2:]])
    assert {finding.code for finding in swapped.findings} == {"TS-AUDIT-007"}
    short = audit_stacked(sources, tmp_path / "out", [*stood, ("tuned", 1)])
    assert {finding.code for finding in short.findings} == {"TS-AUDIT-004"}


def test_a_list_that_says_something_of_each_layer_follows_the_layers():
    base = {"num_hidden_layers": 3, "layer_types": ["a", "b", "c"], "architectures": ["x", "y", "z"]}
    found = stacked_config(base, [base, {**base, "layer_types": ["d", "e", "f"]}], stack(["0[2:3]", "1[0:2]"], 2))
    assert found == {"num_hidden_layers": 3, "layer_types": ["c", "d", "e"], "architectures": ["x", "y", "z"]}


@pytest.mark.parametrize(
    "slices", [[], ["0"], ["0[2:2]"], ["3[0:1]"], ["0[0:31]"], ["0[-1:2]"]], ids=["none", "words", "empty", "model", "layers", "negative"]
)
def test_slices_that_are_not_there_are_refused_by_the_plan(slices):
    settings = vars(CombineSettings(merge_method="passthrough", slices=slices))
    with pytest.raises(UserError, match="TS-TRAIN-078"):
        combine(EstimateRequest(SMOLLM2, 10**8, settings, inputs=("tuned", "tuned.2")))


def test_a_stack_takes_the_disk_of_its_layers():
    settings = vars(CombineSettings(merge_method="passthrough", slices=["0[0:30]", "1[0:30]"]))
    found = combine(EstimateRequest(SMOLLM2, 269_060_552, settings, inputs=("tuned",)))
    assert found.disk == pytest.approx(2 * 269_060_552 - 2 * 49152 * 576, rel=0.01)


def test_layers_that_differ_by_where_they_stand_are_refused():
    with pytest.raises(UserError, match="TS-TRAIN-078"):
        check_config({"num_hidden_layers": 4, "first_k_dense_replace": 2})


@pytest.mark.parametrize(
    ("settings", "count"),
    [({"merge_method": "slerp"}, 3), ({"merge_method": "passthrough", "slices": ["0[0:1]"], "weights": [1.0]}, 1),
     ({"merge_method": "ties", "slices": ["0[0:1]"]}, 1),
     ({"merge_method": "model-stock"}, 1), ({"merge_method": "model-stock", "weights": [1.0, 1.0]}, 2),
     ({"merge_method": "slerp", "weights": [1.0, -1.0]}, 2)],
    ids=["three", "stack", "slices", "one", "weights", "nothing"],
)  # fmt: skip
def test_a_method_for_other_models_is_refused_by_the_plan(settings, count):
    inputs = tuple("tuned" if at == 1 else f"tuned.{at}" for at in range(1, count + 1))
    with pytest.raises(UserError, match="TS-TRAIN-078"):
        combine(EstimateRequest(settings=vars(CombineSettings(**settings)), inputs=inputs))


class _Step:
    """What `combine` and the check `audit` ask of a step."""

    def __init__(self, models: dict[str, Path], output: Path, **settings) -> None:
        self.inputs = {name: Artifact("model/hf", path) for name, path in models.items()}
        self.settings, self.output, self.work, self.seed, self.name = CombineSettings(**settings), output, output.parent / "work", 3, "both"
        self.facts = {**verb().facts, "produces": ["model/hf"]}
        self.placement, self.said = SimpleNamespace(torch="cpu"), []
        output.mkdir()

    def check_cancelled(self) -> None: ...

    def progress(self, *done, **what) -> None: ...

    def decide(self, what: str, reason: str) -> None:
        self.said.append(reason)


@pytest.mark.parametrize(
    "settings",
    [{}, {"merge_method": "slerp"}, {"merge_method": "passthrough", "slices": ["0[0:2]", "2[1:2]"]}],
    ids=lambda one: str(one)[:30],
)
def test_the_check_tells_how_far_it_is_from_each_of_its_models(tmp_path, settings):
    paths = {name: tiny_model(tmp_path / name, seed=seed) for seed, name in enumerate(("base", "one", "other"))}
    step = _Step({"model": paths["base"], "tuned": paths["one"], "tuned.2": paths["other"]}, tmp_path / "out", **settings)
    result = Audit(AuditSettings()).check(step, run(step))
    assert [f"from `{name}` it is" in step.said[0] for name in step.inputs] == [True] * 3
    apart = result.meta["audit"]["parents"]
    assert all(apart[name]["kl"] > 0 for name in step.inputs)


def test_a_stack_that_holds_other_layers_than_it_says_is_refused(tmp_path):
    paths = {name: tiny_model(tmp_path / name, seed=seed) for seed, name in enumerate(("base", "one"))}
    models = {"model": paths["base"], "tuned": paths["one"]}
    step = _Step(models, tmp_path / "out", merge_method="passthrough", slices=["0[0:2]", "1[0:2]"])
    result = run(step)
    swapped = replace(result, meta={**result.meta, "stacked": result.meta["stacked"][::-1]})
    with pytest.raises(TunesmithError, match="TS-AUDIT-007"):
        Audit(AuditSettings()).check(step, swapped)
