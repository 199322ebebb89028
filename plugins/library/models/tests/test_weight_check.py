import json
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_models.safetensors import check_files, irregular, shapes
from tunesmith_models.weight_check import load_whole

WHOLE = {"missing_keys": [], "unexpected_keys": [], "mismatched_keys": []}


def write(path, tensors):
    """A safetensors file of bytes (`U8`), by name and shape."""
    header, end = {}, 0
    for name, shape in tensors.items():
        size = 1
        for side in shape:
            size *= side
        header[name] = {"dtype": "U8", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))
    return path


def raising(error):
    def load(directory, **options):
        raise error

    return load


def test_a_model_is_loaded_without_network_pickle_or_its_own_code(tmp_path):
    def load(directory, **options):
        assert directory == tmp_path
        assert options.pop("ignore_mismatched_sizes")
        assert options == {
            "use_safetensors": True, "local_files_only": True, "trust_remote_code": False, "output_loading_info": True, "dtype": "auto",
        }  # fmt: skip
        return "a model", WHOLE

    assert load_whole(load, tmp_path, dtype="auto") == "a model"


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ({"missing_keys": {"b", "a"}}, "Missing: a, b."),
        ({"unexpected_keys": [f"x{n}" for n in range(8)]}, "Unexpected: x0, x1, x2, x3, x4 and 3 more."),
        ({"mismatched_keys": {("w", (2, 2), (3, 2))}}, "Of another shape: w ((2, 2) in place of (3, 2))."),
        ({"mismatched_keys": ["w"]}, "Of another shape: w."),  # as libraries of 2025 report it
        ({"missing_keys": ["a"], "unexpected_keys": ["c"]}, "Missing: a. Unexpected: c."),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(tmp_path, report, why):
    with pytest.raises(UserError, match="TS-MODEL-022") as refused:
        load_whole(lambda directory, **options: ("a model", {**WHOLE, **report}), tmp_path)
    assert refused.value.why == why


def test_the_librarys_own_reason_is_given_where_it_loads_nothing(tmp_path):
    with pytest.raises(UserError, match="TS-MODEL-020") as refused:
        load_whole(raising(ValueError("Unrecognized model in\n x")), tmp_path)
    assert refused.value.why == "ValueError: Unrecognized model in x"


def test_a_want_of_memory_is_not_taken_for_a_damaged_model(tmp_path):
    class OutOfMemory(RuntimeError):
        pass

    with pytest.raises(OutOfMemory):
        load_whole(raising(OutOfMemory("CUDA out of memory")), tmp_path)


def test_the_need_for_code_is_told_only_where_that_is_the_reason(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"auto_map": {"AutoConfig": "a.B", "AutoModelForCausalLM": "c.D"}}))
    with pytest.raises(UserError, match="TS-MODEL-023"):
        load_whole(raising(ValueError("x contains custom code which must be executed to correctly load the model")), tmp_path)
    with pytest.raises(UserError, match="TS-MODEL-020"):
        load_whole(raising(ValueError("no safetensors here")), tmp_path)


def test_tensors_that_can_not_be_joined_are_named_by_their_neighbours(tmp_path):
    experts = {f"h.{layer}.experts.{n}.{part}.w": (2, 3) for layer in range(2) for n in range(3) for part in ("up", "down")}
    shared = {"h.0.norm": (3,), "h.1.norm": (3,), "embed": (9, 3)}
    lacking = {name: shape for name, shape in experts.items() if name != "h.1.experts.2.up.w"}
    write(tmp_path / "a.safetensors", {**shared, **lacking, "h.0.experts.1.down.w": (1, 3)})
    assert irregular(tmp_path) == (["h.1.experts.2.up.w"], ["h.0.experts.1.down.w"])
    with pytest.raises(UserError, match="TS-MODEL-022") as refused:
        load_whole(raising(RuntimeError("issues during automatic conversion")), tmp_path)
    assert refused.value.why == "Missing: h.1.experts.2.up.w. Of another shape: h.0.experts.1.down.w."


@given(st.dictionaries(st.text(min_size=1), st.lists(st.integers(0, 4), max_size=3).map(tuple), max_size=5))
def test_names_and_shapes_are_read_as_they_were_written(tmp_path_factory, tensors):
    tensors.pop("__metadata__", None)
    file = write(tmp_path_factory.mktemp("x") / "x.safetensors", tensors)
    assert shapes(file) == tensors
    check_files(file.parent)


@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_bytes_are_read_or_refused(tmp_path_factory, noise, kept):
    file = write(tmp_path_factory.mktemp("x") / "x.safetensors", {"a": (4,)})
    file.write_bytes(file.read_bytes()[:kept] + noise)
    with suppress(UserError):  # and nothing else is raised
        shapes(file)
