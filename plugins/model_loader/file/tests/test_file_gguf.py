"""GGUF headers, whole and damaged, written by the `gguf` package as the oracle."""

import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_file.api import describe
from tunesmith_file.gguf import NotGGUF, read_header

gguf = pytest.importorskip("gguf", reason="the gguf package writes the files that this reads")


@pytest.fixture(scope="session")
def small_gguf(tmp_path_factory):
    import numpy as np

    path = tmp_path_factory.mktemp("gguf") / "small.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(128)
    writer.add_head_count(4)
    writer.add_head_count_kv([2, 2])
    writer.add_context_length(256)
    writer.add_rope_freq_base(10000.0)
    writer.add_token_list([f"t{i}" for i in range(300)])
    writer.add_eos_token_id(2)
    writer.add_tensor("token_embd.weight", np.zeros((300, 64), dtype=np.float32))
    writer.add_tensor("output.weight", gguf.quants.quantize(np.ones((300, 64), dtype=np.float32), gguf.GGMLQuantizationType.Q4_0),
                      raw_dtype=gguf.GGMLQuantizationType.Q4_0)  # fmt: skip
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_header_gives_the_config_that_planning_needs(small_gguf):
    format, config = describe(small_gguf)
    assert format == "model/gguf"
    assert config == {
        "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 256, "rope_theta": 10000.0, "vocab_size": 300, "eos_token_id": 2,
        "tie_word_embeddings": False, "quantization_config": {"quant_method": "gguf", "type": "F32", "bits": 18.25},
    }  # fmt: skip


def test_the_tensor_table_is_that_of_the_reference_reader(small_gguf):
    with small_gguf.open("rb") as file:
        header = read_header(file, small_gguf.stat().st_size)
    tensors = gguf.GGUFReader(small_gguf).tensors
    expected = [(t.name, tuple(int(n) for n in t.shape), int(t.tensor_type), t.n_bytes, t.data_offset) for t in tensors]
    assert [(t.name, t.shape, t.type, t.bytes, header.data + t.offset) for t in header.tensors] == expected


def test_the_sizes_of_tensor_types_are_those_of_the_gguf_package():
    from tunesmith_file.gguf import TENSOR_TYPES

    for kind, sizes in gguf.GGML_QUANT_SIZES.items():
        assert TENSOR_TYPES[int(kind)] == (kind.name, *sizes)


def test_a_truncated_file_is_found_by_its_header(small_gguf, tmp_path):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(small_gguf.read_bytes()[:-50])
    with pytest.raises(UserError, match="TS-MODEL-008") as caught:
        describe(cut)
    assert "need" in caught.value.what


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x01\0\0\0" + b"\0" * 16, b"GGUF\0\0\0\x03" + b"\0" * 16, b"PK\x03\x04" * 9])
def test_what_is_no_gguf_is_refused_with_the_reason(tmp_path, content):
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(UserError, match="TS-MODEL-008"):
        describe(path)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_headers_raise_nothing_but_not_gguf(small_gguf, data):
    content = bytearray(small_gguf.read_bytes()[:6000])
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[position] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(NotGGUF):
        read_header(io.BytesIO(content), len(content))
