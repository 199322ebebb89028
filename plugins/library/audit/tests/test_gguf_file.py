"""A GGUF file is held against the checkpoint that it was converted from; each kind of fault is found under its code."""

import json
import shutil

import pytest
from safetensors.numpy import load_file, save_file

from tunesmith_sdk.conformance.materials import tiny_gguf

Q = "model.layers.0.self_attn.q_proj.weight"


@pytest.fixture
def parent(tiny_model, tmp_path):
    return shutil.copytree(tiny_model("llama"), tmp_path / "parent")


def codes(parent, model, tmp_path, quantization="F32", **options):
    from tunesmith_audit.files.gguf_file import audit_gguf

    file = tiny_gguf.write(model, tmp_path / "child.gguf", quantization, **options)
    return {finding.code for finding in audit_gguf(parent, file).findings}


def broken(parent, tmp_path, edit):
    folder = shutil.copytree(parent, tmp_path / "broken")
    found = load_file(folder / "model.safetensors")
    edit(found)
    save_file(found, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize(("quantization", "bits"), [("F32", 32), ("F16", 16), ("Q8_0", 8), ("Q4_0", 4)])
def test_a_converted_model_has_no_fault(parent, tmp_path, quantization, bits):
    from tunesmith_audit.files.gguf_file import bits_of_file

    assert codes(parent, parent, tmp_path, quantization) == set()
    assert bits_of_file(tmp_path / "child.gguf") == bits


FAULTS = {
    "zeroed": ("TS-AUDIT-001", lambda w: w.update({Q: w[Q] * 0})),
    "not a number": ("TS-AUDIT-002", lambda w: w[Q].__setitem__((0, 0), float("nan"))),
    "scaled": ("TS-AUDIT-007", lambda w: w.update({Q: w[Q] * 1.5})),
    "rows in another order": ("TS-AUDIT-007", lambda w: w.update({Q: w[Q][::-1].copy()})),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_weights_is_found(parent, tmp_path, fault):
    code, edit = FAULTS[fault]
    assert codes(parent, broken(parent, tmp_path, edit), tmp_path) == {code}


def test_a_lost_tensor_is_found(parent, tmp_path):
    assert codes(parent, parent, tmp_path, without="blk.0.attn_k.weight") == {"TS-AUDIT-004"}


@pytest.mark.parametrize(
    ("file", "change", "code"),
    [
        ("config.json", {"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}, "TS-AUDIT-005"),
        ("config.json", {"num_key_value_heads": 1}, "TS-AUDIT-005"),
        ("chat_template.jinja", "{{ other }}", "TS-AUDIT-006"),
    ],
    ids=["rope", "heads", "template"],
)
def test_what_llama_cpp_reads_beside_the_weights_is_the_parents(parent, tmp_path, file, change, code):
    model = shutil.copytree(parent, tmp_path / "as-it-was")
    if isinstance(change, str):
        (parent / file).write_text(change)
    else:
        said = json.loads((parent / file).read_text()) if (parent / file).exists() else {}
        (parent / file).write_text(json.dumps(said | change))
    assert code in codes(parent, model, tmp_path)


def test_another_end_of_an_answer_is_found(parent, tmp_path):
    model = shutil.copytree(parent, tmp_path / "other-end")
    said = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(said | {"eos_token_id": said["eos_token_id"] + 5}))
    assert codes(parent, model, tmp_path) == {"TS-AUDIT-005"}


def test_other_ids_of_tokens_are_found(parent, tmp_path):
    model = shutil.copytree(parent, tmp_path / "as-it-was")
    said = json.loads((parent / "tokenizer.json").read_text())
    vocabulary = said["model"]["vocab"]
    one, other = list(vocabulary)[10:12]
    vocabulary[one], vocabulary[other] = vocabulary[other], vocabulary[one]
    (parent / "tokenizer.json").write_text(json.dumps(said))
    assert codes(parent, model, tmp_path) == {"TS-AUDIT-006"}


def test_the_parents_code_with_the_files_numbers_computes_what_the_parent_does(parent, tmp_path):
    from tunesmith_audit.outputs.comparison import compared
    from tunesmith_audit.verdict import Verdict

    child = shutil.copytree(parent, tmp_path / "child")
    (child / "model.safetensors").unlink()
    tiny_gguf.write(parent, child / "model.gguf")
    verdict = compared(Verdict(), parent, child, bits=32)
    assert verdict.ok
    assert verdict.figures["kl"] < 1e-9
    broken_one = broken(parent, tmp_path, lambda w: w.update({Q: w[Q] * 3}))
    tiny_gguf.write(broken_one, child / "model.gguf")
    assert compared(Verdict(), parent, child, bits=32).figures["kl"] > 1e-6


def test_numbers_that_are_not_those_of_all_parameters_are_not_compared(parent, tmp_path):
    from tunesmith_audit.outputs.comparison import compared
    from tunesmith_audit.verdict import Verdict

    child = shutil.copytree(parent, tmp_path / "child")
    (child / "model.safetensors").unlink()
    tiny_gguf.write(parent, child / "model.gguf", without="blk.0.attn_k.weight")
    (reason,) = compared(Verdict(), parent, child, bits=32).not_compared
    assert "k_proj.weight is written is not read here" in reason


def test_packed_numbers_of_gptq_are_run_in_the_parents_code(parent, tmp_path):
    import numpy as np

    from tunesmith_audit.files.audit import unpacked
    from tunesmith_audit.outputs.comparison import compared
    from tunesmith_audit.verdict import Verdict

    child = shutil.copytree(parent, tmp_path / "child")
    before = load_file(parent / "model.safetensors")
    weight = before[Q]
    scale = np.abs(weight).max(axis=1) / 127  # a scale a column of the packed matrix, 8 bits around 128
    codes = (np.rint(weight / scale[:, None]) + 128).astype(np.uint32).T
    packed = sum(codes[place::4] << np.uint32(8 * place) for place in range(4))
    zeros = np.full((1, len(scale) // 4), 0x7F7F7F7F, np.uint32)  # one less than the zero, as the first version keeps it
    parts = {"qweight": packed.view(np.int32), "qzeros": zeros.view(np.int32), "scales": scale[None].astype(np.float16)}
    parts["g_idx"] = np.zeros(weight.shape[1], np.int32)
    after = {name: value for name, value in before.items() if name != Q} | {Q.replace("weight", name): one for name, one in parts.items()}
    save_file({name: np.ascontiguousarray(value) for name, value in after.items()}, child / "model.safetensors")
    config = json.loads((child / "config.json").read_text())
    (child / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "gptq", "bits": 8}}))
    assert np.allclose(dict(unpacked(parent, child))[Q], weight, atol=float(scale.max()))
    verdict = compared(Verdict(), parent, child)
    assert verdict.ok, verdict.findings
    assert 0 < verdict.figures["kl"] < 0.01
