"""The command line as settings and devices make it, the estimate, and what is refused. No vLLM here."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import Address, Artifact, EstimateRequest, Placement, TunesmithError, UserError
from tunesmith.contracts.artifacts import numbered
from tunesmith.contracts.settings import build, fill, schema_of
from tunesmith.plugins.registry import load_registry
from tunesmith_models import ModelShape
from tunesmith_sdk.testing.plans import plan_on_a_laptop
from tunesmith_serve.settings import ServeSettings
from tunesmith_vllm.backend import VllmBackend
from tunesmith_vllm.estimate import estimate
from tunesmith_vllm.settings import VllmSettings

SMOLLM2 = {
    "num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3,
    "vocab_size": 49152, "tie_word_embeddings": True, "max_position_embeddings": 8192,
}  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2))
    return Artifact("model/hf", tmp_path)


@pytest.fixture
def start(model: Artifact, local_step):
    """``start(device="cpu", **settings)``: the words of the command by option, and the variables."""

    def engine(device: str = "cpu", updatable: bool = False, **settings):
        told = ServeSettings(shutdown_grace=12.5, updatable=updatable)
        step = local_step(placement=Placement(device=device), seed=7, settings=told)
        made = VllmBackend(build(VllmSettings, settings)).engine(model, "bot", Address("127.0.0.1", 8123, ("llm.example",)), step)
        assert made.command[:3] == (sys.executable, "-m", "vllm.entrypoints.openai.api_server")
        words, options = made.command[3:], {}
        for at, word in enumerate(words):
            if word.startswith("--"):
                options[word] = words[at + 1] if at + 1 < len(words) and not words[at + 1].startswith("--") else True
        return options, made.environment

    return engine


def test_it_serves_the_steps_model_under_the_steps_name_at_the_steps_address(start, model: Artifact):
    options, environment = start()
    wanted = {"--model": str(model.path), "--served-model-name": "bot", "--host": "127.0.0.1", "--port": "8123", "--seed": "7"}
    assert {key: options[key] for key in wanted} == wanted
    assert environment["HF_HUB_OFFLINE"] == environment["VLLM_NO_USAGE_STATS"] == "1"


@pytest.mark.parametrize(
    ("method", "asked", "dtype"), [("gptq", "auto", "bfloat16"), ("gptq", "float32", "float32"), ("", "auto", "float32")]
)
def test_what_vllm_does_not_compute_in_float32_it_computes_in_bfloat16_on_any_processor(start, model, method, asked, dtype):
    told = {"torch_dtype": "float16", "quantization_config": {"quant_method": method}}
    (model.path / "config.json").write_text(json.dumps(SMOLLM2 | told))
    assert start(dtype=asked)[0]["--dtype"] == dtype  # this one's native type is float32


def test_a_sampler_takes_adapters_while_it_runs_and_is_asked_for_the_model_itself(start):
    options, environment = start(updatable=True, max_lora_rank=32)
    wanted = {"--max-loras": "1", "--max-lora-rank": "32", "--logprobs-mode": "processed_logprobs", "--generation-config": "vllm"}
    assert {key: options[key] for key in wanted} == wanted
    assert options["--enable-lora"]
    assert environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"
    options, environment = start()
    assert not {*wanted, "--enable-lora"} & {*options}
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING" not in environment


def test_a_sampler_on_a_gpu_may_sleep_and_one_on_a_processor_is_refused(start):
    assert "--enable-sleep-mode" in start("cuda", updatable=True, enable_sleep_mode=True)[0]
    settings = fill(schema_of(VllmSettings), {"enable_sleep_mode": True})
    with pytest.raises(UserError, match="TS-SERVE-069"):
        estimate(EstimateRequest(SMOLLM2, settings=settings, device="cpu"))
    estimate(EstimateRequest(SMOLLM2, settings=settings, device="cuda"))


def test_a_samplers_adapter_has_its_place_in_the_estimate():
    settings = fill(schema_of(VllmSettings), {"max_lora_rank": 64})
    plain, updated = (
        estimate(EstimateRequest(SMOLLM2, settings=settings, step_settings={"updatable": updatable})) for updatable in (False, True)
    )
    assert "adapters" not in plain.terms
    assert updated.terms["adapters"] == pytest.approx(64 * 30 * 4 * (2 * (576 * 2) + 2 * (576 + 192) + 3 * (576 + 1536)))


def test_it_gets_the_steps_grace_and_is_closed_to_other_peoples_pages(start):
    options, environment = start()
    assert (options["--shutdown-timeout"], options["--allowed-origins"]) == ("13", "[]")
    assert options["--middleware"] == "tunesmith_serve.local_names.LocalNames"
    assert environment["TUNESMITH_SERVE_ALLOWED_HOSTS"] == "llm.example"


def test_a_processor_runs_uncompiled_on_all_its_cores_with_a_bounded_cache(start):
    options, environment = start()
    assert options["--enforce-eager"] is True
    assert options["--kv-cache-memory-bytes"] == str(2 * 2**30)
    assert "--gpu-memory-utilization" not in options
    assert environment["VLLM_CPU_NUM_OF_RESERVED_CPU"] == "0"
    assert environment["TORCHDYNAMO_DISABLE"] == "1"
    options, environment = start(enforce_eager=False, reserved_cores=2, kv_cache_gib=0.5)
    assert "--enforce-eager" not in options
    assert "TORCHDYNAMO_DISABLE" not in environment
    assert environment["VLLM_CPU_NUM_OF_RESERVED_CPU"] == "2"
    assert options["--kv-cache-memory-bytes"] == str(2**29)


def test_a_gpu_is_compiled_for_and_filled_as_far_as_allowed(start):
    options, environment = start("cuda", gpu_memory_utilization=0.8, tensor_parallel_size=2)
    assert options["--gpu-memory-utilization"] == "0.8"
    assert options["--tensor-parallel-size"] == "2"
    assert not options.keys() & {"--enforce-eager", "--kv-cache-memory-bytes"}
    assert not environment.keys() & {"VLLM_CPU_NUM_OF_RESERVED_CPU", "TORCHDYNAMO_DISABLE"}


@pytest.mark.parametrize(("asked", "given"), [(4096, "4096"), (100_000, "8192"), (0, None)])
def test_texts_are_no_longer_than_the_model_allows(start, asked: int, given: str | None):
    assert start(max_model_len=asked)[0].get("--max-model-len") == given


def test_further_options_are_passed_on_in_vllms_own_words(start):
    more = {
        "enable_prefix_caching": False,
        "max-num-batched-tokens": 512,
        "override_generation_config": {"top_k": 5},
        "enforce_eager": True,
    }
    options, _ = start(options=more)
    assert options["--no-enable-prefix-caching"] is True
    assert options["--max-num-batched-tokens"] == "512"
    assert json.loads(options["--override-generation-config"]) == {"top_k": 5}


@pytest.mark.parametrize("name", ["port", "served-model-name", "trust_remote_code", "api_key"])
def test_what_is_the_kernels_or_would_run_code_of_a_checkpoint_is_refused(start, name: str):
    with pytest.raises(UserError, match="TS-SERVE-030") as caught:
        start(options={name: "x"})
    assert name.replace("-", "_") in caught.value.fix


def test_memory_is_weights_cache_and_libraries_and_quantized_weights_stay_small():
    """SmolLM2 in bfloat16 with a cache of 0.5 GiB held 2.4 GiB while it scored (proportional shares of its processes)."""
    shape = ModelShape.from_config(SMOLLM2)
    settings = fill(schema_of(VllmSettings), {"kv_cache_gib": 0.5, "max_model_len": 1024})
    native = {"dtypes": ("float32", "bfloat16")}
    plain = estimate(EstimateRequest(shape.config, 269_060_552, settings, **native))
    small = estimate(EstimateRequest(shape.config, 110_000_000, settings, **native))
    assert plain.memory == pytest.approx(2.4 * 2**30, rel=0.1)
    assert plain.terms["kv cache"] == 0.5 * 2**30
    assert plain.terms["weights"] == pytest.approx(269e6, rel=0.01)
    assert small.terms["weights"] == 110_000_000
    on_gpu = estimate(EstimateRequest(shape.config, 269_060_552, settings | {"kv_cache_gib": 0.0}, device="cuda", **native))
    assert on_gpu.terms["kv cache"] == shape.kv_bytes(64 * 1024)
    assert on_gpu.notes
    assert estimate(EstimateRequest({}, 10**9, settings)).notes


@pytest.fixture
def adapter(tmp_path: Path):
    """``adapter("polite", r=4)``: an artifact with this configuration."""

    def make(name: str, layers: tuple[str, ...] = ("q_proj",), **config) -> Artifact:
        (tmp_path / name).mkdir()
        head = json.dumps({f"base_model.model.model.layers.0.{layer}.lora_{part}.weight": {} for layer in layers for part in "AB"}).encode()
        (tmp_path / name / "adapter_model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head)
        told = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj"], "bias": "none", **config}
        (tmp_path / name / "adapter_config.json").write_text(json.dumps(told))
        return Artifact("adapter/peft", tmp_path / name)

    return make


@pytest.fixture
def beside(model: Artifact, local_step):
    """``beside({"polite": artifact})``: the engine for the model and these adapters."""

    def engine(adapters: dict[str, Artifact], served: Artifact = model, **settings):
        keys = numbered("adapters", len(adapters))
        step = local_step(
            settings=ServeSettings(), inputs=dict(zip(keys, adapters.values(), strict=True)), sources=dict(zip(keys, adapters, strict=True))
        )
        return VllmBackend(build(VllmSettings, settings)).engine(served, "bot", Address("127.0.0.1", 8123), step)

    return engine


def test_adapters_are_served_beside_their_base_by_the_names_of_their_steps(beside, adapter):
    polite, terse = adapter("a", r=4), adapter("b", ("mlp.down_proj", "self_attn.q_proj"), r=24, rank_pattern={"q_proj": 40})
    made = beside({"polite": polite, "terse": terse})
    words = list(made.command)
    at = words.index("--lora-modules")
    given = [json.loads(word) for word in words[at + 1 : at + 3]]
    assert given == [{"name": "polite", "path": str(polite.path)}, {"name": "terse", "path": str(terse.path)}]
    assert "--enable-lora" in words
    at = words.index("--lora-target-modules")
    assert words[at + 1 : at + 3] == ["down_proj", "q_proj"]
    assert [words[words.index(option) + 1] for option in ("--max-lora-rank", "--max-loras")] == ["64", "3"]  # one stays empty
    assert made.facts == {"adapters": ["polite", "terse"]}


def test_slots_for_adapters_count_in_its_memory():
    settings = fill(schema_of(VllmSettings), {})
    request = EstimateRequest(config={**SMOLLM2, "model_type": "llama"}, settings=settings, inputs=("adapters", "adapters.2"))
    alone, beside = estimate(replace(request, inputs=())), estimate(request)
    # a layer's matrices have (576 + 576) * 2 + (576 + 192) * 2 + (576 + 1536) * 3 = 10,176 rows and columns
    assert beside.terms["adapters"] == 3 * 16 * 30 * 10_176 * 4  # two adapters, a slot that stays empty, rank 16, float32
    assert beside.memory - alone.memory == beside.terms["adapters"]
    large = {"adapters": {"bytes": 5e8}, "adapters.2": {"bytes": 1e6}}
    assert estimate(replace(request, models=large, device="cuda")).terms["adapters"] == 2 * 5e8


def test_without_adapters_nothing_is_said_of_them(start):
    options, _ = start()
    assert not [option for option in options if "lora" in option]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"peft_type": "IA3"}, "this is IA3"), ({"use_dora": True}, "no DoRA"), ({"bias": "lora_only"}, "biases"),
        ({"lora_bias": True}, "biases"), ({"modules_to_save": ["lm_head"]}, "whole modules"), ({"r": 1024}, "rank is 1024"),
        ({"init_lora_weights": "pissa_niter_4"}, "base was changed"), ({"layers": ("lm_head",)}, "`lm_head`"),
    ],
)  # fmt: skip
def test_an_adapter_that_vllm_would_not_compute_is_refused_before_it_loads_anything(beside, adapter, config: dict, why: str):
    with pytest.raises(UserError, match="TS-SERVE-056") as caught:
        beside({"polite": adapter("a", **config)})
    assert why in caught.value.why
    assert "`from: polite`" in caught.value.fix


def test_an_adapter_of_another_base_or_by_the_models_own_name_is_refused(beside, adapter, model: Artifact):
    ours, theirs = replace(model, digest="sha256:1"), replace(model, digest="sha256:2")
    one = replace(adapter("a"), refs={"base": theirs})
    with pytest.raises(UserError, match="TS-SERVE-056") as caught:
        beside({"polite": one}, ours)
    assert "trained on another model" in caught.value.why
    assert beside({"polite": replace(one, refs={"base": ours})}, ours).facts == {"adapters": ["polite"]}
    with pytest.raises(UserError, match="TS-SERVE-056"):
        beside({"bot": one}, theirs)


@pytest.mark.parametrize("name", ["enable-lora", "lora_modules", "max_lora_rank"])
def test_which_adapters_there_are_is_no_option(start, name: str):
    with pytest.raises(UserError, match="TS-SERVE-030"):
        start(options={name: "x"})


PIPELINE = """
name: bot
model: file://base
steps:
  polite: {train: sft, adapter: lora, data: rows.jsonl}
  terse:  {train: sft, adapter: {lora: {r: 24}}, data: rows.jsonl}
  api:    {serve: BACKEND, from: model, adapters: [polite, terse]}
"""


def test_a_plan_gives_it_the_adapters_as_they_are(tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text('{"prompt": "Hi", "completion": "Hello"}\n' * 8)
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE.replace("BACKEND", "vllm"))
    registry = load_registry(load_config(tmp_path, home=tmp_path / "home"))
    plan = plan_on_a_laptop(tmp_path / "tunesmith.yaml", registry)
    api = next(step for step in plan.steps if step.name == "api")
    assert {key: source.step for key, source in api.inputs.items() if key != "model"} == {"adapters": "polite", "adapters.2": "terse"}
    assert not [step.name for step in plan.steps if step.verb.name == "merge"]
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE.replace("BACKEND", "transformers"))
    with pytest.raises(TunesmithError, match="TS-PLAN-014"):
        plan_on_a_laptop(tmp_path / "tunesmith.yaml", registry)
