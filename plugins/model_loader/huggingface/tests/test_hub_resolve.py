"""What an `hf://` URI means: which commit, which files, which model; online, offline, and when the hub says no."""

import contextlib
import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_huggingface.uri import parse


def refused(call) -> UserError:
    with pytest.raises(UserError) as caught:
        call()
    assert caught.value.fix
    return caught.value


# --- revisions -----------------------------------------------------------------------------------------------------------------------


def test_a_branch_a_tag_and_a_commit_are_pinned_to_the_commit(hub, loader, step, model_files):
    old = hub.repos["org/small"].refs["main"]
    tagged = hub.add("org/small", model_files(1000), "v1/final")
    pull = hub.add("org/small", model_files(2000), "refs/pr/1")
    new = hub.add("org/small", model_files(3000))
    resolve = loader().resolve
    assert resolve("hf://org/small", step).revision == new
    assert resolve("hf://org/small@v1%2Ffinal", step).revision == tagged
    assert resolve("hf://org/small@refs/pr/1", step).revision == pull
    assert resolve(f"hf://org/small@{old}", step).revision == old


def test_a_moved_branch_does_not_change_what_was_planned(hub, loader, step, model_files):
    loading = loader()
    info = loading.resolve("hf://org/small", step)
    hub.add("org/small", model_files(1000, **{"tokenizer.json": b"[]"}))
    loading.fetch(info, step.output, step)
    assert (step.output / "tokenizer.json").read_bytes() == model_files()["tokenizer.json"]


def test_a_commit_that_was_seen_before_needs_no_request(hub, loader, step):
    info = loader().resolve("hf://org/small", step)
    hub.seen.clear()
    assert loader().resolve(f"hf://org/small@{info.revision}", step).files == info.files
    assert not hub.seen


def test_a_misspelt_revision_offers_those_there_are(hub, loader, step, model_files):
    hub.add("org/small", model_files(1000), "release")
    error = refused(lambda: loader().resolve("hf://org/small@relaese", step))
    assert (error.code, "`release`" in error.fix) == ("TS-MODEL-001", True)


# --- what is on the hub --------------------------------------------------------------------------------------------------------------


def test_a_subdirectory_holds_a_model_of_its_own(hub, load, model_files):
    hub.add("org/nested", {f"small/{name}": data for name, data in model_files(1000).items()} | {"config.json": b"{}"})
    _, files = load("hf://org/nested/small")
    assert set(files) == {"config.json", "tokenizer.json", "model.safetensors"}


def test_an_adapter_and_a_quantized_checkpoint_have_their_formats(hub, loader, step, safetensors):
    hub.add("org/adapter", {"adapter_config.json": b'{"peft_type": "LORA", "r": 8}', "adapter_model.safetensors": safetensors(10)})
    info = loader().resolve("hf://org/adapter", step)
    assert (info.format, info.config["r"]) == ("adapter/peft", 8)
    config = {"model_type": "llama", "quantization_config": {"quant_method": "bitsandbytes"}}
    hub.add("org/nf4", {"config.json": json.dumps(config).encode(), "model.safetensors": safetensors(10)})
    assert loader().resolve("hf://org/nf4", step).format == "model/bnb"
    beside = {"config.json": b'{"model_type": "llama"}', "quantize_config.json": b'{"bits": 4}', "model.safetensors": safetensors(10)}
    hub.add("org/older", beside)
    info = loader().resolve("hf://org/older", step)
    assert (info.format, info.config["quantization_config"]) == ("model/gptq", {"bits": 4, "quant_method": "gptq"})


def test_only_pickled_weights_are_refused_with_the_reason(hub, loader, step):
    hub.add("org/old", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    error = refused(lambda: loader().resolve("hf://org/old", step))
    assert (error.code, "pickle" in error.why) == ("TS-MODEL-005", True)


@pytest.fixture
def gguf_bytes(tmp_path):
    gguf = pytest.importorskip("gguf", reason="the gguf package writes the file")
    import numpy as np

    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama")
    writer.add_block_count(3)
    writer.add_embedding_length(64)
    writer.add_token_list([f"token{i}" for i in range(20_000)])
    writer.add_tensor("output.weight", np.zeros((1000, 1000), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return (tmp_path / "x.gguf").read_bytes()


def test_of_a_gguf_only_the_header_is_read_to_describe_it(hub, loader, step, gguf_bytes):
    hub.add("org/gguf", {"a.Q4.gguf": gguf_bytes, "a.Q8.gguf": gguf_bytes + b"8"})
    assert "hf://org/gguf/a.Q4.gguf" in refused(lambda: loader().resolve("hf://org/gguf", step)).fix
    hub.fault("a.Q4.gguf", cut_after=10_000)
    hub.fault("a.Q4.gguf", delay=0.02)
    loading = loader()
    info = loading.resolve("hf://org/gguf/a.Q4.gguf", step)
    assert (info.format, info.config["num_hidden_layers"], info.config["vocab_size"]) == ("model/gguf", 3, 20_000)
    assert hub.sent("/cdn/") < len(gguf_bytes) * 0.7
    hub.seen.clear()
    assert loading.resolve("hf://org/gguf/a.Q4.gguf", step) == info
    assert hub.sent("/cdn/") == 0
    loading.fetch(info, step.output, step)
    assert (step.output / "a.Q4.gguf").read_bytes() == gguf_bytes


# --- refusals ------------------------------------------------------------------------------------------------------------------------


def test_an_unknown_repository_is_told_apart_from_a_gated_one(hub, loader, load, step, model_files, monkeypatch):
    hub.add("org/gated", model_files(1000), gated=True)
    unknown = refused(lambda: loader().resolve("hf://org/unknown", step))
    assert (unknown.code, "HF_TOKEN" in unknown.fix) == ("TS-MODEL-001", True)
    gated = refused(lambda: load("hf://org/gated"))
    assert (gated.code, "Ask for access" in gated.fix) == ("TS-MODEL-006", True)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert refused(lambda: load("hf://org/gated")).code == "TS-MODEL-006"
    assert refused(lambda: loader().resolve("hf://org/unknown", step)).code == "TS-MODEL-001"
    monkeypatch.setenv("HF_TOKEN", hub.token)
    load("hf://org/gated")


def test_the_token_is_in_no_message_and_in_nothing_that_is_kept(hub, loader, step, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    error = refused(lambda: loader().resolve("hf://org/unknown", step))
    info = loader().resolve("hf://org/small", step)
    assert "hf_secret" not in repr((error.to_json(), info, step.reports))
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and b"hf_secret" in path.read_bytes()]


def test_a_server_that_is_no_hub_is_named(hub, loader, step):
    hub.fault("api", status=200)
    assert refused(lambda: loader().resolve("hf://org/small", step)).code == "TS-MODEL-002"


@pytest.mark.parametrize("entry", [
    {"rfilename": "../../evil.json", "size": 1, "blobId": "0" * 40},
    {"rfilename": "/etc/config.json", "size": 1, "blobId": "0" * 40},
    {"rfilename": "config.json", "size": 1, "blobId": "../../../evil"},
    {"rfilename": "config.json"},
])  # fmt: skip
def test_nothing_that_a_server_says_leads_out_of_the_cache(entry):
    from tunesmith_huggingface.hub import listing_of

    with pytest.raises((KeyError, ValueError)):
        listing_of({"sha": "0" * 40, "siblings": [entry]})


# --- without a network ---------------------------------------------------------------------------------------------------------------


def test_what_was_fetched_once_is_there_offline(hub, load, loader, step, model_files, monkeypatch):
    info, files = load()
    for name in files:
        (step.output / name).unlink()
    hub.seen.clear()
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    again, same = load()
    assert (again, same) == (info, files)
    assert not hub.seen
    error = refused(lambda: loader().resolve("hf://org/other", step))
    assert (error.code, "TUNESMITH_OFFLINE" in error.fix) == ("TS-MODEL-002", True)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TUNESMITH_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_a_model_that_was_only_planned_with_is_a_coded_error(hub, loader, step, monkeypatch, variable):
    loading = loader()
    info = loading.resolve("hf://org/small", step)
    monkeypatch.setenv(variable, "true")
    hub.seen.clear()
    error = refused(lambda: loading.fetch(info, step.output, step))
    assert (error.code, "2 of the files" in error.what) == ("TS-MODEL-002", True)
    assert not hub.seen


def test_an_unreachable_hub_is_said_within_seconds_or_the_last_known_commit_is_used(hub, loader, step, monkeypatch):
    info = loader().resolve("hf://org/small", step)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert loader().resolve("hf://org/small", step).revision == info.revision
    assert [level for level, message in step.reports.logs if info.revision[:12] in message] == ["warning"]
    assert refused(lambda: loader().resolve("hf://org/other", step)).code == "TS-MODEL-002"


def test_the_cache_of_the_hubs_own_library_is_used_read_only(hub, load, loader, step, model_files, monkeypatch, tmp_path):
    huggingface_hub = pytest.importorskip("huggingface_hub", reason="its cache is what this reads")
    commit = hub.repos["org/small"].refs["main"]
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        huggingface_hub.hf_hub_download("org/small", name, endpoint=hub.url, cache_dir=tmp_path / "hf-home/hub", token=False)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "hf-home").rglob("*")}
    hub.seen.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    info, files = load()
    assert info.revision == commit
    assert files["model.safetensors"] == model_files()["model.safetensors"]
    assert not hub.seen
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "hf-home").rglob("*")} == before
    assert not (tmp_path / "cache/hubs/blobs").exists()


def test_a_damaged_cache_fixes_itself(hub, load, step, model_files, tmp_path):
    load()
    for path in step.output.iterdir():
        path.unlink()
    for blob in (tmp_path / "cache/hubs/blobs").iterdir():
        os.truncate(blob, 5)
    assert load()[1]["model.safetensors"] == model_files()["model.safetensors"]


# --- the fake hub is like the real one -----------------------------------------------------------------------------------------------


def test_the_hubs_own_library_sees_the_same_repository(hub, loader, step, tmp_path):
    huggingface_hub = pytest.importorskip("huggingface_hub", reason="it is the oracle")
    info = loader().resolve("hf://org/small", step)
    oracle = huggingface_hub.HfApi(endpoint=hub.url, token=False).model_info("org/small", files_metadata=True)
    assert oracle.sha == info.revision
    assert {s.rfilename: s.lfs.sha256 for s in oracle.siblings if s.lfs and s.rfilename in info.files} == {
        name: entry["sha256"] for name, entry in info.files.items() if entry["sha256"]
    }
    path = huggingface_hub.hf_hub_download("org/small", "model.safetensors", endpoint=hub.url, cache_dir=tmp_path / "o", token=False)
    assert os.path.getsize(path) == info.files["model.safetensors"]["size"]


# --- URIs ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("hf://org/name", ("org/name", "main", "")),
        ("hf://org/name@v1.0/sub/dir/", ("org/name", "v1.0", "sub/dir")),
        ("hf://org/name/x.gguf", ("org/name", "main", "x.gguf")),
        ("hf://org/name@refs/pr/12/x.gguf", ("org/name", "refs/pr/12", "x.gguf")),
        ("hf://org/name@feature%2Fx", ("org/name", "feature/x", "")),
        ("hf://gpt2", ("gpt2", "main", "")),
        ("hf://gpt2@v1/onnx", ("gpt2", "v1", "onnx")),
    ],
)
def test_uris(uri, parts):
    parsed = parse(uri)
    assert (parsed.repo, parsed.revision, parsed.inside) == parts


@pytest.mark.parametrize(
    "uri", ["hf://", "hf://org/", "hf:///x", "hf://org/na me", "hf://../x", "hf://org/x@", "hf://org/x/../y", "hf://o/n@..%2F.."]
)
def test_what_is_no_hub_uri_is_refused_with_an_example(uri):
    error = refused(lambda: parse(uri))
    assert (error.code, "hf://" in error.fix) == ("TS-MODEL-003", True)


@given(st.text())
def test_no_uri_leads_out_of_a_repository(text):
    with contextlib.suppress(UserError):
        parsed = parse("hf://" + text)
        assert ".." not in parsed.repo.split("/")
        assert ".." not in parsed.inside.split("/")
        assert parsed.revision


# --- HTTP ----------------------------------------------------------------------------------------------------------------------------


def test_a_redirect_to_an_unencrypted_address_is_not_followed():
    import urllib.error
    import urllib.request

    from tunesmith_hubs.http.client import _Redirects

    handler = _Redirects(lambda url: {})
    request = urllib.request.Request("https://hub.example/x", headers={"Range": "bytes=0-1"})
    with pytest.raises(urllib.error.URLError):
        handler.redirect_request(request, io.BytesIO(), 302, "", {}, "http://cdn.example/x")
    assert handler.redirect_request(request, io.BytesIO(), 302, "", {}, "https://cdn.example/x").get_header("Range") == "bytes=0-1"


def test_a_proxy_of_the_environment_is_used(hub, loader, step, monkeypatch):
    monkeypatch.setenv("http_proxy", hub.url)
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
    loader().resolve("hf://org/small", step)
    assert hub.seen
