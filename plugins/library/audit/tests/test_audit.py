"""Each kind of fault in a child's files is found under its code; what computes the same is not refused."""

import json
import shutil
import sys
import types

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tunesmith.contracts import Artifact, EstimateRequest, Result
from tunesmith.errors import TunesmithError, UserError
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_audit.artifact_check import Audit
from tunesmith_audit.estimate import estimate
from tunesmith_audit.files.adapter_audit import audit_adapter
from tunesmith_audit.files.audit import audit
from tunesmith_audit.files.tensors import as_float, tensors_of, values_of
from tunesmith_audit.outputs.comparison import compared
from tunesmith_audit.settings import AuditSettings
from tunesmith_audit.verdict import Verdict

CONFIG = {
    "model_type": "llama", "hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 4, "num_hidden_layers": 2, "vocab_size": 32,
    "rope_theta": 10000.0, "max_position_embeddings": 64, "tie_word_embeddings": True, "eos_token_id": 2, "rms_norm_eps": 1e-5,
}  # fmt: skip
TOKENIZER = {
    "added_tokens": [{"id": 2, "content": "</s>", "special": True}], "pre_tokenizer": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "</s>": 2}, "merges": ["a b"]},
}  # fmt: skip
Q, K = (f"model.layers.0.self_attn.{name}_proj.weight" for name in "qk")


def weights():
    random = np.random.default_rng(0)
    names = [f"model.layers.{layer}.self_attn.{name}_proj.weight" for layer in range(2) for name in "qkvo"]
    found = {name: random.standard_normal((16, 16), dtype=np.float32) for name in names}
    found |= {f"model.layers.{layer}.self_attn.q_proj.bias": random.standard_normal(16, dtype=np.float32) for layer in range(2)}
    return found | {"model.embed_tokens.weight": random.standard_normal((32, 16), dtype=np.float32), "zero.bias": np.zeros(16, np.float32)}


def rewrite(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture
def parent(tmp_path):
    folder = tmp_path / "parent"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "</s>", "chat_template": "{{ messages }}"}))
    save_file(weights(), folder / "model.safetensors")
    return folder


@pytest.fixture
def child(parent, tmp_path):
    return shutil.copytree(parent, tmp_path / "child")


def change(folder, edit):
    found = load_file(folder / "model.safetensors")
    edit(found)
    save_file(found, folder / "model.safetensors")


def codes(parent, child, edge="auto"):
    return {finding.code for finding in audit(parent, child, edge).findings}


FAULTS = {
    "zeroed": ("TS-AUDIT-001", lambda w: w.update({Q: np.zeros_like(w[Q])})),
    "nan": ("TS-AUDIT-002", lambda w: w[K].__setitem__((3, 4), np.nan)),
    "overflow": ("TS-AUDIT-002", lambda w: w.update({Q: (w[Q] * 1e5).astype(np.float16)})),
    "lost bias": ("TS-AUDIT-004", lambda w: w.pop("model.layers.1.self_attn.q_proj.bias")),
    "cut": ("TS-AUDIT-004", lambda w: w.update({"model.embed_tokens.weight": w["model.embed_tokens.weight"][:30]})),
    "extra": ("TS-AUDIT-004", lambda w: w.update({"model.layers.2.self_attn.q_proj.weight": w[Q].copy()})),
    "swapped": ("TS-AUDIT-007", lambda w: w.update({Q: w[K].copy(), K: w[Q].copy()})),
    "transposed": ("TS-AUDIT-007", lambda w: w.update({Q: w[Q].T.copy()})),
    "untied": ("TS-AUDIT-008", lambda w: w.update({"lm_head.weight": w["model.embed_tokens.weight"] * 0.5})),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_weights_is_found(parent, child, fault):
    code, edit = FAULTS[fault]
    change(child, edit)
    assert code in codes(parent, child)


@pytest.mark.parametrize(
    "changes",
    [
        {"rope_theta": 1e6},
        {"num_key_value_heads": 2},
        {"vocab_size": 30},
        {"eos_token_id": 5},
        {"sliding_window": 8},
        {"rms_norm_eps": 1e-6},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_another_fact_in_the_config_is_found(parent, child, changes):
    rewrite(child / "config.json", **changes)
    assert codes(parent, child) == {"TS-AUDIT-005"}


def test_another_tokenizer_or_template_is_found(parent, child):
    rewrite(child / "tokenizer_config.json", chat_template="")
    assert codes(parent, child) == {"TS-AUDIT-006"}
    rewrite(child / "tokenizer_config.json", chat_template="{{ messages }}", eos_token="b")
    assert codes(parent, child) == {"TS-AUDIT-006"}
    shutil.copyfile(parent / "tokenizer_config.json", child / "tokenizer_config.json")
    assert codes(parent, child) == set()
    rewrite(child / "tokenizer.json", model={**TOKENIZER["model"], "vocab": {"a": 0, "b": 1}})
    assert codes(parent, child) == {"TS-AUDIT-006"}


def test_what_computes_the_same_is_not_refused(parent, child):
    found = {name: value.astype(np.float16) for name, value in reversed(load_file(child / "model.safetensors").items())}
    (child / "model.safetensors").unlink()
    half = len(found) // 2
    for number, names in enumerate((list(found)[:half], list(found)[half:])):
        save_file({name: found[name] for name in names}, child / f"part-{number}.safetensors")
    (child / "chat_template.jinja").write_text("{{ messages }}\n")
    rewrite(child / "config.json", dtype="float16", eos_token_id=[2, 1], rope_parameters={"rope_theta": 10000.0, "rope_type": "default"})
    rewrite(child / "tokenizer.json", model={**TOKENIZER["model"], "merges": [["a", "b"]]})
    verdict = audit(parent, child)
    assert verdict.ok, verdict.findings
    assert 0 < max(verdict.figures["update_norm"].values()) < 0.002


def test_training_has_to_change_something_and_may_change_much(parent, child):
    assert codes(parent, child, "update") == {"TS-AUDIT-003"}
    change(child, lambda w: w.update({Q: w[Q] * 1.4}))
    assert codes(parent, child, "update") == set()
    assert codes(parent, child) == {"TS-AUDIT-007"}
    change(child, lambda w: w.update({K: weights()["model.layers.0.self_attn.v_proj.weight"]}))
    (finding,) = audit(parent, child, "update").findings
    assert "it holds what the parent has in model.layers.0.self_attn.v_proj.weight" in finding.what


def test_training_may_add_a_head_and_a_conversion_may_not(parent, child):
    save_file({"score.weight": np.ones((1, 16), np.float32)}, child / "heads.safetensors")
    assert codes(parent, child) == {"TS-AUDIT-004"}
    change(child, lambda w: w.update({Q: w[Q] * 1.01}))
    assert codes(parent, child, "update") == set()
    change(child, lambda w: w.pop(K))
    assert codes(parent, child, "update") == {"TS-AUDIT-004"}


@pytest.mark.parametrize("prefix", ["bert.", ""])
def test_training_may_put_another_head_in_the_place_of_an_encoder_s(parent, child, prefix):
    layers = {f"encoder.layer.{number}.weight": np.eye(16, dtype=np.float32) + number for number in range(2)}
    body = {"embeddings.word.weight": np.ones((4, 16), np.float32), **layers}
    head = {"cls.predictions.bias": np.ones(4, np.float32), "bert.pooler.weight": np.ones((2, 16), np.float32)}
    save_file({f"{prefix}{name}": value for name, value in body.items()} | head, parent / "model.safetensors")
    rewrite(parent / "config.json", architectures=["BertForMaskedLM" if prefix else "BertModel"])
    rewrite(child / "config.json", architectures=["BertForTokenClassification"])
    tuned = {f"bert.{name}": value * 1.01 for name, value in body.items()} | {"classifier.weight": np.ones((2, 16), np.float32)}
    save_file(tuned, child / "model.safetensors")
    assert codes(parent, child, "update") == set()
    tuned.pop("bert.encoder.layer.0.weight")
    save_file(tuned, child / "model.safetensors")
    assert codes(parent, child, "update") == {"TS-AUDIT-004"}


def test_the_int8_of_bitsandbytes_is_unpacked(parent, child):
    def pack(found):
        for name in [name for name in found if name.endswith("_proj.weight")]:
            scale = np.abs(found[name]).max(axis=1)
            found[name.replace("weight", "SCB")] = scale
            found[name] = np.rint(found[name] * 127 / scale[:, None]).astype(np.int8)

    change(child, pack)
    rewrite(child / "config.json", quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})
    assert codes(parent, child) == set()
    unpacked = shutil.copytree(parent, child.with_name("unpacked"))
    change(unpacked, lambda w: w.update({name: plain_of(child, name) for name in w if name.endswith("_proj.weight")}))
    assert codes(child, unpacked) == set(), "a packed parent is unpacked, too"
    change(unpacked, lambda w: w.update({Q: w[Q].T.copy()}))
    assert codes(child, unpacked) == {"TS-AUDIT-007"}
    change(child, lambda w: w.update({Q.replace("weight", "SCB"): np.roll(w[Q.replace("weight", "SCB")], 1) * 2}))
    assert codes(parent, child) == {"TS-AUDIT-007"}


def plain_of(folder, name):
    found = load_file(folder / "model.safetensors")
    return found[name].astype(np.float32) * found[name.replace("weight", "SCB")][:, None] / 127


def test_biases_of_zeros_that_a_library_adds_are_no_fault(parent, child):
    name = Q.replace("layers.0", "layers.1").replace("q_proj.weight", "o_proj.bias")
    change(child, lambda w: w.update({name: np.zeros(16, np.float32)}))
    assert codes(parent, child) == set()
    change(child, lambda w: w.update({name: np.ones(16, np.float32)}))
    assert codes(parent, child) == {"TS-AUDIT-004"}


def test_biases_of_zeros_that_a_library_has_added_to_packed_layers_may_go_again(parent, child):
    rewrite(parent / "config.json", quantization_config={"quant_method": "gptq", "bits": 3})
    change(child, lambda w: w.pop("zero.bias"))
    assert codes(parent, child) == set()
    change(child, lambda w: w.pop("model.layers.1.self_attn.q_proj.bias"))
    assert codes(parent, child) == {"TS-AUDIT-004"}


def test_without_tensors_of_the_parent_a_child_is_looked_at_alone(parent, child):
    (parent / "model.safetensors").unlink()
    assert audit(parent, child).ok
    change(child, lambda w: w.update({Q: np.zeros_like(w[Q])}))
    assert codes(parent, child) == {"TS-AUDIT-001"}
    change(child, lambda w: w[Q].__setitem__((0, 0), np.inf))
    assert codes(parent, child) == {"TS-AUDIT-002"}


def test_types_that_numpy_does_not_have_are_read_as_torch_reads_them():
    import torch

    bits = torch.arange(256, dtype=torch.uint8)
    for theirs, ours in ((torch.float8_e4m3fn, "F8_E4M3"), (torch.float8_e5m2, "F8_E5M2")):
        assert np.array_equal(as_float(bits.numpy(), ours), bits.view(theirs).float().numpy(), equal_nan=True)
    wide = torch.randn(100).bfloat16()
    assert np.array_equal(as_float(wide.view(torch.uint16).numpy(), "BF16"), wide.float().numpy())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_equal_pieces_are_finite_or_not_by_their_bits(tmp_path, dtype):
    values = np.ones(9, dtype)
    for value, finite in ((np.finfo(dtype).max, True), (np.inf, False), (-np.inf, False), (np.nan, False), (-0.0, True)):
        values[5] = value
        save_file({"a": values}, tmp_path / "model.safetensors")
        tensor = tensors_of(tmp_path)["a"]
        assert (values_of(tensor).finite, values_of(tensor, tensor).finite) == (finite, finite)
        assert values_of(tensor, tensor).change == 0


def test_values_go_on_over_the_borders_of_pieces(parent, child, monkeypatch):
    monkeypatch.setattr("tunesmith_audit.files.tensors.PIECE", 7)
    change(child, lambda w: w[Q].__setitem__((-1, -1), w[Q][-1, -1] + 3.0))
    old, new = tensors_of(parent)[Q], tensors_of(child)[Q]
    assert values_of(new, old).change == pytest.approx(3.0 / np.linalg.norm(weights()[Q]), rel=1e-5)


def test_the_refusal_names_the_first_findings_and_where_the_files_are(parent, child):
    change(child, lambda w: w.update({Q: np.zeros_like(w[Q])}))
    error = audit(parent, child).error("What `small` made", "Its files are in work/refused.")
    assert error.code == "TS-AUDIT-001"
    assert Q in error.why
    assert error.fix.endswith("Its files are in work/refused.")


def made(child, work, told=None, format="model/hf", of="model/hf", parent=None, **facts):
    """A step that has made what lies in `child`."""
    told = [] if told is None else told
    return WorkerStep(
        name="small", output=child, work=work, inputs={"model": Artifact(of, parent)}, facts={"produces": [format], **facts},
        notify=lambda method, params: told.append((params["what"], params["reason"])),
    )  # fmt: skip


CHECK = Audit(AuditSettings(compare=False, reason="nothing runs here"))


def test_what_a_step_made_is_published_with_what_was_found(parent, child, tmp_path):
    told = []
    found = CHECK.check(made(child, tmp_path / "work", told, parent=parent), Result(metrics={"bytes": 1.0}, meta={"rows": 3, "layers": 2}))
    ((what, reason),) = told
    assert what == "held against its parent"
    assert reason.endswith("not compared: `compare` is false: nothing runs here")
    assert found.metrics == {"bytes": 1.0}
    assert found.meta["rows"] == 3
    assert len(found.meta["audit"]["template"]) == 64
    assert found.meta["audit"]["overridden"] == {"reason": "nothing runs here"}
    assert not found.meta["audit"]["compared"]


def test_what_fails_is_not_published_and_its_files_are_kept(parent, child, tmp_path):
    change(child, lambda w: w.update({Q: np.zeros_like(w[Q])}))
    for _ in range(2):  # a second try finds the first one's files there
        shutil.copytree(child, tmp_path / "output", dirs_exist_ok=True)
        with pytest.raises(TunesmithError) as refused:
            CHECK.check(made(tmp_path / "output", tmp_path / "work", parent=parent), Result())
        assert refused.value.code == "TS-AUDIT-001"
    assert not load_file(tmp_path / "work" / "refused" / "model.safetensors")[Q].any()
    assert not list((tmp_path / "output").iterdir())


def test_an_update_has_to_change_something_and_a_conversion_need_not(parent, child, tmp_path):
    CHECK.check(made(child, tmp_path / "work", parent=parent), Result())
    with pytest.raises(TunesmithError, match="TS-AUDIT-003"):
        CHECK.check(made(child, tmp_path / "work", parent=parent, edge="update"), Result())


def test_an_adapter_that_becomes_a_model_is_held_against_its_base(parent, child, tmp_path):
    step = made(child, tmp_path / "work", parent=tmp_path, of="adapter/peft", edge="update")
    step.inputs = {"model": Artifact("adapter/peft", tmp_path, refs={"base": Artifact("model/hf", parent)})}
    with pytest.raises(TunesmithError, match="TS-AUDIT-003"):
        CHECK.check(step, Result())


@pytest.mark.parametrize(("alike", "code"), [(True, ""), (False, "TS-GATE-002")])
def test_a_format_of_its_own_is_run_by_its_own_runtime(parent, tmp_path, monkeypatch, alike, code):
    import torch

    ids, rows = [[3, 4, 5], [6, 7]], torch.randn(7, 8, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    said = [rows[:3], rows[3:5]]
    runtime = types.ModuleType("acme_tilt_runtime")
    runtime.log_probs = lambda directory, asked: said if alike else [one.roll(1, -1) for one in said]
    monkeypatch.setitem(sys.modules, "acme_tilt_runtime", runtime)
    monkeypatch.setattr("tunesmith_audit.outputs.comparison.ids_of", lambda *_: (ids, Verdict(figures={"prompts": 2})))
    monkeypatch.setattr("tunesmith_audit.outputs.comparison.said", lambda directory, *_: said if directory == parent else None)
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "model.tilt").write_bytes(b"1")
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        if (parent / name).exists():
            shutil.copyfile(parent / name, tmp_path / "output" / name)
    step = made(tmp_path / "output", tmp_path / "work", format="model/tilt", parent=parent, log_probs="acme_tilt_runtime:log_probs")
    check, result = Audit(AuditSettings()), Result(meta={"bits": 8})
    if code:
        with pytest.raises(TunesmithError, match=code):
            check.check(step, result)
    else:
        assert check.check(step, result).meta["audit"]["compared"]


def test_a_runtime_that_does_not_know_a_model_leaves_it_to_transformers_and_one_that_fails_is_the_childs_fault(parent, monkeypatch):
    import torch

    rows = torch.randn(2, 8, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    monkeypatch.setattr("tunesmith_audit.outputs.comparison.ids_of", lambda *_: ([[3, 4]], Verdict(figures={"prompts": 1})))
    monkeypatch.setattr("tunesmith_audit.outputs.comparison.said", lambda *_: [rows])
    words = {"settings": AuditSettings(), "bits": 32}
    alike = compared(Verdict(), parent, parent, runner=lambda *_: None, **words)
    assert (alike.findings, alike.figures["kl"]) == ((), 0.0)

    def fails(*_):
        raise RuntimeError("it stops at token 0")

    (finding,) = compared(Verdict(), parent, parent, runner=fails, **words).findings
    assert (finding.code, "token 0" in finding.what) == ("TS-GATE-002", True)


def test_what_is_no_model_is_let_pass(parent, tmp_path):
    (tmp_path / "page").mkdir()
    assert CHECK.check(made(tmp_path / "page", tmp_path, format="document/card", parent=parent), Result()) == Result()


@pytest.mark.parametrize(
    ("tensors", "code"),
    [
        ({"lora_A.weight": 1.0, "lora_B.weight": 0.5}, ""),
        ({"lora_A.weight": 1.0, "lora_B.weight": 0.0}, "TS-AUDIT-003"),
        ({"lora_A.weight": 1.0, "lora_B.weight": np.nan}, "TS-AUDIT-002"),
        ({"prompt_embeddings": 0.3}, ""),
        ({"prompt_embeddings": 0.0}, "TS-AUDIT-001"),
    ],
)
def test_an_adapter_is_refused_where_it_changes_nothing(tmp_path, tensors, code):
    values = {f"base_model.model.q_proj.{name}": np.full((4, 4), value, np.float32) for name, value in tensors.items()}
    save_file(values, tmp_path / "adapter_model.safetensors")
    assert [finding.code for finding in audit_adapter(tmp_path).findings] == [code] * bool(code)
    further = {finding.code for finding in audit_adapter(tmp_path, tmp_path).findings}
    assert (code or "TS-AUDIT-003") in further


def asked(format="model/hf", made="model/bnb", facts=None, **settings):
    return EstimateRequest(
        config={**CONFIG, "intermediate_size": 32}, input_bytes=10_000_000, format=format, facts={"produces": [made], **(facts or {})},
        settings={"compare": True, "prompts": [], "reason": "", **settings}, parts={"quantizer": {"model": 5.0, "disk": 2.0}},
    )  # fmt: skip


def planned(**words):
    ((what, reason),) = estimate(asked(**words)).decisions
    return what, reason


def test_the_plan_says_what_is_compared_and_why_something_is_not():
    assert planned()[0] == "held against its parent before it is published"
    assert "14 prompts" in planned(prompts=["a", "b"])[1]
    assert estimate(asked()).memory > 1e8  # of the comparison
    assert planned(format="adapter/peft", made="model/hf+*") == planned(format="adapter/peft", made="model/hf"), "a role is handed on"
    assert planned(format="adapter/peft+score", made="model/hf+*")[1].endswith("it gives no words")
    for reason, words in {
        "model/onnx is no checkpoint that transformers loads": {"made": "model/onnx"},
        "it gives no words": {"format": "model/hf+score", "made": "model/bnb+score"},
        "it is another one": {"facts": {"not_compared": "it is another one"}},
        "an adapter is to change what its model computes": {"made": "adapter/peft"},
        "`compare` is false: no time": {"compare": False, "reason": "no time"},
    }.items():
        what, told = planned(**words)
        assert (what, told.rpartition("not compared: ")[2]) == ("audited before it is published", reason)
        assert estimate(asked(**words)).memory == 5.0
    assert (
        planned(made="model/tilt", facts={"log_probs": "acme_tilt.runtime:log_probs"})[0]
        == "held against its parent before it is published"
    )
    assert estimate(asked(made="document/card")) is None


@pytest.mark.parametrize("override", [{"kl": 0.9}, {"top1": 0.1}, {"perplexity": 9.0}, {"compare": False}])
def test_another_bound_needs_a_reason(override):
    with pytest.raises(UserError, match="TS-AUDIT-009"):
        estimate(asked(**override))
    assert estimate(asked(**override, reason="a trial"))
