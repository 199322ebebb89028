"""Each kind of fault in a child's files is found under its code; what computes the same is not refused."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tunesmith.errors import UserError
from tunesmith_audit import check_artifact
from tunesmith_audit.audit import audit
from tunesmith_audit.tensors import as_float, tensors_of, values_of

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


def test_the_int8_of_bitsandbytes_is_unpacked(parent, child):
    def pack(found):
        for name in [name for name in found if name.endswith("_proj.weight")]:
            scale = np.abs(found[name]).max(axis=1)
            found[name.replace("weight", "SCB")] = scale
            found[name] = np.rint(found[name] * 127 / scale[:, None]).astype(np.int8)

    change(child, pack)
    rewrite(child / "config.json", quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})
    assert codes(parent, child) == set()
    change(child, lambda w: w.update({Q.replace("weight", "SCB"): np.roll(w[Q.replace("weight", "SCB")], 1) * 2}))
    assert codes(parent, child) == {"TS-AUDIT-007"}


def test_types_that_numpy_does_not_have_are_read_as_torch_reads_them():
    import torch

    bits = torch.arange(256, dtype=torch.uint8)
    for theirs, ours in ((torch.float8_e4m3fn, "F8_E4M3"), (torch.float8_e5m2, "F8_E5M2")):
        assert np.array_equal(as_float(bits.numpy(), ours), bits.view(theirs).float().numpy(), equal_nan=True)
    wide = torch.randn(100).bfloat16()
    assert np.array_equal(as_float(wide.view(torch.uint16).numpy(), "BF16"), wide.float().numpy())


def test_values_go_on_over_the_borders_of_pieces(parent, child, monkeypatch):
    monkeypatch.setattr("tunesmith_audit.tensors.PIECE", 7)
    change(child, lambda w: w[Q].__setitem__((-1, -1), w[Q][-1, -1] + 3.0))
    old, new = tensors_of(parent)[Q], tensors_of(child)[Q]
    assert values_of(new, old).change == pytest.approx(3.0 / np.linalg.norm(weights()[Q]), rel=1e-5)


def test_the_refusal_names_the_first_findings_and_where_the_files_are(parent, child):
    change(child, lambda w: w.update({Q: np.zeros_like(w[Q])}))
    error = audit(parent, child).error("What `small` made", "Its files are in work/refused.")
    assert error.code == "TS-AUDIT-001"
    assert Q in error.why
    assert error.fix.endswith("Its files are in work/refused.")


def test_what_fails_is_not_published_and_its_files_are_kept(parent, child, tmp_path):
    told = []
    step = SimpleNamespace(
        name="small", output=child, work=tmp_path / "work", decide=lambda *words: told.append(words), placement=SimpleNamespace(torch="cpu")
    )
    check_artifact(step, parent, edge="convert", not_compared="no runtime is installed here")
    ((what, reason),) = told
    assert what == "held against its parent"
    assert reason.endswith("not compared: no runtime is installed here")
    change(child, lambda w: w.update({Q: np.zeros_like(w[Q])}))
    with pytest.raises(UserError) as refused:
        check_artifact(step, parent, edge="convert", not_compared="no runtime is installed here")
    assert refused.value.code == "TS-AUDIT-001"
    assert not load_file(tmp_path / "work" / "refused" / "model.safetensors")[Q].any()
    assert len(told) == 1
