"""Models in stores: which files come, how they are pinned and verified, what is refused and how. A folder stands in place of each store."""

import hashlib
import os

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith_sdk.testing.hub_models import model_files, safetensors

FILES = model_files(300_000)
WANTED = {name: FILES[name] for name in ("config.json", "tokenizer.json", "model.safetensors")}
WEIGHTS = "model.safetensors"


def refused(call) -> UserError:
    with pytest.raises(UserError) as caught:
        call()
    assert caught.value.fix
    return caught.value


def sums(folder, files) -> None:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items()]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def test_the_files_that_a_model_needs_arrive(load, kind):
    info, files, _ = load(kind)
    assert files == WANTED
    assert (info.format, info.config["hidden_size"]) == ("model/hf", 8)
    assert info.revision.startswith("files:")


def test_a_file_of_sums_gives_the_digests_and_what_differs_is_not_used(load, folder, kind, tmp_path, monkeypatch):
    sums(folder, WANTED)
    info, files, _ = load(kind)
    assert files == WANTED
    assert {name: entry["sha256"] for name, entry in info.files.items()} == {n: hashlib.sha256(d).hexdigest() for n, d in WANTED.items()}
    (folder / WEIGHTS).write_bytes(safetensors(300_000, "another"))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "another-cache"))
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        load(kind)


def test_a_byte_flipped_on_the_way_is_noticed_where_there_are_digests(load, store, folder):
    sums(folder, WANTED)
    store.corrupt = [150_000]
    _, files, step = load("s3")
    assert files == WANTED
    assert [level for level, message in step.reports.logs if "damaged" in message] == ["warning"]


def test_without_digests_what_came_first_is_pinned(load, store, folder, kind, tmp_path):
    info, _, _ = load(kind)
    assert not any(entry["sha256"] for entry in info.files.values())
    store.read = 0
    again, files, _ = load(kind)
    assert (again, files) == (info, WANTED)
    assert store.read == 0
    blobs, weights = tmp_path / "cache/hubs/blobs", folder / WEIGHTS
    (blobs / hashlib.sha256(WANTED[WEIGHTS]).hexdigest()).unlink()
    store.corrupt = [150_000]
    assert load(kind)[1] == WANTED
    (blobs / hashlib.sha256(WANTED[WEIGHTS]).hexdigest()).unlink()
    before = weights.stat()
    weights.write_bytes(safetensors(300_000, "another"))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))  # for the store it is the same version
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        load(kind)


def test_a_file_that_is_written_again_between_plan_and_download_is_refused(load, folder):
    def write():
        (folder / WEIGHTS).write_bytes(safetensors(300_000, "another"))
        os.utime(folder / WEIGHTS, (1, 1))

    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        load("s3", between=write)
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        load("s3", between=lambda: (folder / WEIGHTS).unlink())


def test_a_folder_that_changed_has_another_revision(loader, folder, local_step):
    first = loader("s3").resolve("s3://bucket/small", local_step()).revision
    (folder / "tokenizer.json").write_bytes(b"{}")
    assert loader("s3").resolve("s3://bucket/small", local_step()).revision != first


def test_failures_that_pass_are_waited_out_and_others_end_it(load, store):
    store.failures = 2
    assert load("s3")[1] == WANTED
    store.failures = 100
    assert refused(lambda: load("s3", "s3://bucket/other", max_retries=1)).code == "TS-MODEL-002"


@pytest.mark.parametrize(("status", "code"), [(403, "TS-MODEL-006"), (401, "TS-MODEL-006"), (404, "TS-MODEL-001")])
def test_what_a_store_refuses_is_said(load, store, status, code):
    store.status = status
    assert refused(lambda: load("oss")).code == code


def test_an_empty_folder_is_said(load, kind):
    place = "host.example/bucket" if kind == "webdav" else "bucket"
    assert refused(lambda: load(kind, f"{kind}://{place}/that-is-not-there")).code == "TS-MODEL-001"


def test_a_single_file_may_be_named(load, folder):
    assert load("s3", f"s3://bucket/small/{WEIGHTS}")[1] == WANTED


def test_offline_asks_nothing(load, store, monkeypatch):
    info, _, _ = load("s3")
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    store.failures = 100
    assert load("s3")[0] == info
    assert refused(lambda: load("s3", "s3://bucket/other")).code == "TS-MODEL-002"


@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "s3://bucket/../x", "s3://user@bucket/x"])
def test_what_is_no_uri_is_refused_with_an_example(loader, uri):
    error = refused(lambda: loader("s3").hub.parse(uri))
    assert (error.code, "s3://" in error.fix) == ("TS-MODEL-003", True)


def test_a_library_that_is_not_installed_is_named_with_its_extra():
    from tunesmith_storage.filesystems import Backend

    error = refused(lambda: Backend("no_such_library", "s3", lambda *told: None).filesystem("", ""))
    assert (error.code, "tunesmith-storage[s3]" in error.fix) == ("TS-MODEL-014", True)
