"""Which files are a model."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_file.api import find

HF = ["config.json", "model.safetensors", "tokenizer.json"]


def code(call) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert caught.value.fix
    return caught.value.code


def test_takes_what_a_reader_needs_and_nothing_that_runs_code():
    extra = ["pytorch_model.bin", "modeling_x.py", "README.md", "optimizer.pt", "LICENSE", "chat_template.jinja", "onnx/model.onnx",
             "additional_chat_templates/tool_use.jinja", "trainer_state.json", "vocab.txt", "spiece.model"]  # fmt: skip
    layout = find(HF + extra, where="x")
    assert (layout.kind, layout.root) == ("hf", "")
    assert set(layout.files) == {*HF, "LICENSE", "chat_template.jinja", "additional_chat_templates/tool_use.jinja", "vocab.txt",
                                 "spiece.model"}  # fmt: skip


@pytest.mark.parametrize(
    ("weights", "read"),
    [
        (["model.safetensors", "model.fp16.safetensors"], {"model.safetensors"}),
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "consolidated.safetensors"],
         {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}),
        (["weights.safetensors"], {"weights.safetensors"}),
    ],
)  # fmt: skip
def test_weights_that_are_there_twice_are_taken_once(weights, read):
    assert {f for f in find(["config.json", *weights], where="x").files if f.endswith("safetensors")} == read


def test_pickled_weights_are_refused_and_the_reason_is_given():
    with pytest.raises(UserError) as caught:
        find(["config.json", "pytorch_model-00001-of-00002.bin"], where="hf://org/old")
    assert caught.value.code == "TS-MODEL-005"
    assert "pickle" in caught.value.why
    assert "safetensors" in caught.value.fix
    assert code(lambda: find(["a.pt"], "a.pt", where="x")) == "TS-MODEL-005"


def test_several_ggufs_need_a_name_and_the_message_gives_one():
    names = ["m.Q4_K_M.gguf", "m.Q8_0.gguf", "config.json"]
    with pytest.raises(UserError) as caught:
        find(names, where="hf://org/m")
    assert caught.value.code == "TS-MODEL-004"
    assert "hf://org/m/m.Q4_K_M.gguf" in caught.value.fix
    assert find(names, "m.Q8_0.gguf", where="hf://org/m").files == ("m.Q8_0.gguf",)


def test_a_split_gguf_is_one_model():
    parts = [f"big-{i:05}-of-00003.gguf" for i in (1, 2, 3)]
    assert find(parts, where="x").files == tuple(parts)
    assert find([*parts, "small.gguf"], parts[1], where="x").files == tuple(parts)


def test_a_model_in_a_subdirectory_is_found_or_named():
    names = ["pkg/__init__.py", *(f"pkg/weights/{n}" for n in HF)]
    assert find(names, where="x").root == "pkg/weights/"
    assert find(names, "pkg/weights", where="x").files == tuple(sorted(HF))
    assert find(names, "pkg/weights/model.safetensors", where="x").files == tuple(sorted(HF))
    with pytest.raises(UserError, match="TS-MODEL-001") as caught:
        find(names, "pkg/weihgts", where="x")
    assert caught.value.fix


def test_an_adapter_is_an_adapter_even_with_a_config_beside_it():
    adapter = ["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"]
    layout = find([*adapter, "checkpoint-5/adapter_model.safetensors"], where="x")
    assert (layout.kind, layout.files) == ("peft", ("adapter_config.json", "adapter_model.safetensors", "tokenizer.json"))
    assert code(lambda: find(["adapter_config.json", "adapter_model.bin"], where="x")) == "TS-MODEL-005"


def test_no_model_says_what_there_is():
    with pytest.raises(UserError, match="TS-MODEL-004") as caught:
        find([f"photo{i}.png" for i in range(20)], where="x")
    assert "photo0.png" in caught.value.why
    assert "12 more" in caught.value.why
    assert code(lambda: find([], where="x")) == "TS-MODEL-004"


NAMES = [
    "config.json", "model.safetensors", "a.gguf", "b.gguf", "x/a.gguf", "x/config.json", "x/model.safetensors", "pytorch_model.bin",
    "adapter_config.json", "adapter_model.safetensors", "x-00001-of-00002.gguf", "README.md", "x.py",
]  # fmt: skip


@given(st.lists(st.sampled_from(NAMES)), st.sampled_from(["", "x", "a.gguf"]))
def test_whatever_the_files_the_answer_is_a_model_or_a_coded_error(names, inside):
    with contextlib.suppress(UserError):
        layout = find(names, inside, where="x")
        assert layout.files
        assert {layout.root + name for name in layout.files} <= set(names)
        assert not any(name.endswith((".bin", ".py")) for name in layout.files)
