"""`file://` models: described, pinned, copied, verified."""

import contextlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import Cancelled, TunesmithError, UserError
from tunesmith_file.api import describe
from tunesmith_file.loader import FileLoader, path_of


def load(step, uri):
    loader = FileLoader()
    info = loader.resolve(uri, step)
    loader.fetch(info, step.output, step)
    return info


def test_a_directory_becomes_the_same_files_in_the_output(step, hf_model):
    info = load(step, f"file://{hf_model}")
    assert (info.format, info.config["hidden_size"]) == ("model/hf", 8)
    assert {p.name: p.read_bytes() for p in step.output.iterdir()} == {n: (hf_model / n).read_bytes() for n in info.files}
    assert set(info.files) == {"config.json", "tokenizer.json", "model.safetensors"}
    assert info.size == sum(p.stat().st_size for p in step.output.iterdir())


def test_the_users_files_stay_writable_and_unlinked(step, hf_model):
    load(step, str(hf_model))
    assert (hf_model / "model.safetensors").stat().st_nlink == 1
    assert (step.output / "model.safetensors").stat().st_ino != (hf_model / "model.safetensors").stat().st_ino


def test_the_revision_is_the_contents_wherever_they_lie(step, hf_model, tmp_path):
    loader = FileLoader()
    first = loader.resolve(str(hf_model), step).revision
    moved = hf_model.rename(tmp_path / "elsewhere")
    assert loader.resolve(str(moved), step).revision == first
    (moved / "tokenizer.json").write_text('{"changed": 1}')
    assert loader.resolve(str(moved), step).revision != first


@pytest.fixture
def fine_clock(monkeypatch):
    """A file system whose clock tells every change at once."""
    monkeypatch.setattr("tunesmith.contracts.digests.SETTLED", -60.0)


def overwrite(file, text: str) -> None:
    """In place, with the same size and modification time."""
    stat = file.stat()
    with open(file, "r+") as opened:
        opened.write(text)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_hashes_are_remembered_until_the_file_changes(step, hf_model, fine_clock):
    loader = FileLoader()
    first = loader.resolve(str(hf_model), step).revision
    step.reports.progress.clear()
    assert loader.resolve(str(hf_model), step).revision == first
    assert not [report for report in step.reports.progress if report["what"] == "hash"]
    overwrite(hf_model / "tokenizer.json", "[]")
    assert loader.resolve(str(hf_model), step).revision != first


def test_with_refresh_every_file_is_hashed_again(step, hf_model, fine_clock):
    first = FileLoader().resolve(str(hf_model), step)
    step.reports.progress.clear()
    step.refresh = True
    assert FileLoader().resolve(str(hf_model), step) == first
    assert len({report["total"] for report in step.reports.progress if report["what"] == "hash"}) == 3


def test_what_was_remembered_wrongly_is_refused_once_and_then_right(step, hf_model, fine_clock, monkeypatch):
    """As on a file system that keeps no change time."""
    import tunesmith.contracts.digests as files

    seen = files.looks
    monkeypatch.setattr(files, "looks", lambda path: [*seen(path)[:3], 0])
    loader = FileLoader()
    loader.resolve(str(hf_model), step)
    overwrite(hf_model / "tokenizer.json", "[]")
    stale = loader.resolve(str(hf_model), step)
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        loader.fetch(stale, step.output, step)
    loader.fetch(loader.resolve(str(hf_model), step), step.output, step)
    assert (step.output / "tokenizer.json").read_text() == "[]"


def test_files_that_change_while_they_are_described_are_described_again(step, hf_model, monkeypatch):
    from tunesmith_file import loader as module

    real, edits = module.describe_layout, ["gpt2", "bert"]

    def edited(*arguments):
        answer = real(*arguments)
        if edits:
            (hf_model / "config.json").write_text(json.dumps({"model_type": edits.pop()}))
        return answer

    monkeypatch.setattr(module, "describe_layout", edited)
    info = FileLoader().resolve(str(hf_model), step)
    assert info.config == json.loads((hf_model / "config.json").read_text()) == {"model_type": "gpt2"}
    edits += ["a", "b", "c"]
    with pytest.raises(UserError, match=r"TS-MODEL-007.*changed each time"):
        FileLoader().resolve(str(hf_model), step)


def test_a_file_that_changes_between_plan_and_run_is_noticed(step, hf_model):
    loader = FileLoader()
    info = loader.resolve(str(hf_model), step)
    (hf_model / "tokenizer.json").write_text("[]")
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        loader.fetch(info, step.output, step)
    (hf_model / "tokenizer.json").unlink()
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        loader.fetch(info, step.output, step)


def test_cancelling_ends_a_copy(step, hf_model):
    loader = FileLoader()
    info = loader.resolve(str(hf_model), step)
    step.cancelled.set()
    with pytest.raises(Cancelled):
        loader.fetch(info, step.output, step)


@pytest.mark.parametrize(
    ("method", "format"),
    [("bitsandbytes", "model/bnb"), ("gptq", "model/gptq"), ("awq", "model/awq"), ("compressed-tensors", "model/compressed-tensors"),
     ("fp8", "model/fp8")],
)  # fmt: skip
def test_a_quantized_checkpoint_has_a_format_of_its_own(hf_model, method, format):
    config = json.loads((hf_model / "config.json").read_text()) | {"quantization_config": {"quant_method": method}}
    (hf_model / "config.json").write_text(json.dumps(config))
    assert describe(hf_model)[0] == format


@pytest.mark.parametrize(("name", "format"), [("quantize_config.json", "model/gptq"), ("quant_config.json", "model/awq")])
def test_an_older_checkpoint_says_beside_its_config_that_it_is_quantized(hf_model, name, format):
    (hf_model / name).write_text('{"bits": 4}')
    assert describe(hf_model)[0] == format
    config = json.loads((hf_model / "config.json").read_text()) | {"quantization_config": {"quant_method": "bitsandbytes"}}
    (hf_model / "config.json").write_text(json.dumps(config))
    assert describe(hf_model)[0] == "model/bnb", "the config has the last word"


def test_a_missing_path_offers_its_siblings(step, hf_model):
    with pytest.raises(UserError, match="TS-MODEL-001") as caught:
        FileLoader().resolve(str(hf_model.with_name("modle")), step)
    assert "`model`" in caught.value.fix


def test_damage_is_found_before_anything_is_copied(step, hf_model):
    weights = hf_model / "model.safetensors"
    whole = weights.read_bytes()
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3\n"
    for damaged in (whole[:-1], whole + b"x", whole[:5], b"", b"\xff" * 64, lfs, b"\x02" + b"\0" * 7 + b"[]"):
        weights.write_bytes(damaged)
        with pytest.raises(UserError, match="TS-MODEL-008") as caught:
            describe(hf_model)
        assert caught.value.fix
    assert "lfs" in str(caught.value.fix).lower() or damaged != lfs
    weights.write_bytes(whole)
    (hf_model / "config.json").write_text("{")
    with pytest.raises(UserError, match="TS-MODEL-008"):
        describe(hf_model)


def test_a_missing_shard_is_named(hf_model):
    weights = hf_model / "model.safetensors"
    weights.rename(hf_model / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (hf_model / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="TS-MODEL-008") as caught:
        describe(hf_model)
    assert "model-00002-of-00002" in caught.value.what


@pytest.mark.parametrize(
    ("uri", "path"),
    [("file:///a/b", "/a/b"), ("file://localhost/a/b", "/a/b"), ("file:/a", "/a"), ("file://a/b", "a/b"), ("/a b", "/a b"), ("./x", "x")],
)
def test_the_ways_to_write_a_path(uri, path):
    assert str(path_of(uri)) == path


def test_percent_signs_are_decoded_only_where_that_helps(tmp_path):
    (tmp_path / "a b").mkdir()
    assert path_of(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    (tmp_path / "a%20b").mkdir()
    assert path_of(f"file://{tmp_path}/a%20b") == tmp_path / "a%20b"


@given(st.text())
def test_any_uri_gives_a_path_or_a_coded_error(text):
    with contextlib.suppress(UserError):
        assert str(path_of("file://" + text))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "sub/tokenizer.json"])
def test_a_models_file_can_not_be_a_link_to_another_file_of_the_users(step, hf_model, tmp_path, name):
    secret = tmp_path / "secret.json"
    secret.write_bytes((hf_model / "config.json").read_bytes())
    target = hf_model / name
    if "/" in name:
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "tokenizer.json").write_text("{}")
        for file in ("config.json", "model.safetensors"):
            (hf_model / file).rename(tmp_path / "other" / file)
        (hf_model / "sub").symlink_to(tmp_path / "other")
    else:
        target.unlink()
        target.symlink_to(secret)
    with pytest.raises(UserError) as refused:
        load(step, f"file://{hf_model}")
    assert refused.value.code == "TS-MODEL-013"
    assert "outside of the model" in refused.value.what
    assert not any(step.output.iterdir())


def test_a_link_that_is_made_after_the_plan_is_not_followed_either(step, hf_model, tmp_path):
    info = FileLoader().resolve(str(hf_model), step)
    (hf_model / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    (hf_model / "tokenizer.json").symlink_to(tmp_path / "tokenizer.json")
    with pytest.raises(UserError, match="TS-MODEL-013"):
        FileLoader().fetch(info, step.output, step)


def test_a_declared_root_and_a_hubs_cache_may_be_linked_to(step, hf_model, tmp_path):
    blobs = tmp_path / "models--a--b" / "blobs"
    snapshot = tmp_path / "models--a--b" / "snapshots" / "c0ffee"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (hf_model / name).rename(blobs / name)
        (snapshot / name).symlink_to(f"../../blobs/{name}")
        (hf_model / name).symlink_to(blobs / name)
    assert len(load(step, f"file://{snapshot}").files) == 3
    with pytest.raises(UserError, match="TS-MODEL-013"):
        FileLoader().resolve(str(hf_model), step)
    step.roots = (blobs,)
    assert len(FileLoader().resolve(str(hf_model), step).files) == 3


def test_a_model_may_be_named_by_a_link(step, hf_model, tmp_path):
    (tmp_path / "latest").symlink_to(hf_model)
    assert len(load(step, f"file://{tmp_path / 'latest'}").files) == 3


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)], ids=["fifo", "zero"])
def test_a_file_that_never_ends_is_not_waited_for(step, hf_model, name, make):
    (hf_model / name).unlink()
    make(hf_model / name)
    with pytest.raises(UserError, match="TS-MODEL-013"):
        FileLoader().resolve(str(hf_model), step)
