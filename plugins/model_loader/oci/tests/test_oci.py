"""Models from registries: what a URI means, which files come, what is refused and how. Faults of the network: tests/hubs."""

import contextlib
import hashlib
import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import TunesmithError, UserError
from tunesmith_oci.uri import parse
from tunesmith_sdk.testing.hub_models import model_files

FILES = model_files(300_000)
WANTED = {name: FILES[name] for name in ("config.json", "tokenizer.json", "model.safetensors")}


def refused(call, code: str) -> TunesmithError:
    with pytest.raises(TunesmithError) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("annotation", ["org.cncf.model.filepath", "org.opencontainers.image.title"])
def test_the_files_of_an_artifact_arrive_with_the_digests_of_its_layers(hub, load, annotation):
    hub.annotation = annotation
    info, files = load()
    assert files == WANTED
    assert {name: entry["sha256"] for name, entry in info.files.items()} == {n: hashlib.sha256(d).hexdigest() for n, d in WANTED.items()}
    assert info.revision == f"sha256:{hashlib.sha256(hub.manifest(FILES)).hexdigest()}"


def test_a_tag_that_moves_during_the_download_does_no_harm_and_a_digest_never_moves(hub, load):
    info, files = load(between=lambda: hub.add("org/small", {name: b"{}" for name in FILES}))
    assert files == WANTED
    hub.seen.clear()
    again, _ = load(f"org/small@{info.revision}")
    assert again.revision == info.revision
    assert not [seen for seen in hub.seen if "/blobs/" in seen.path]


def test_another_manifest_than_the_digest_names_is_refused(hub, load, monkeypatch):
    digest = load()[0].revision
    monkeypatch.setenv("TUNESMITH_CACHE", "another")
    monkeypatch.setattr(type(hub).handler, "manifest", lambda self, repo, reference: self.answer(200, hub.manifest({"a": b"b"})))
    refused(lambda: load(f"org/small:latest@{digest}"), "TS-MODEL-007")


def test_archives_are_refused_with_what_to_do(hub, load):
    hub.kind = "application/vnd.cncf.model.weight.v1.tar"
    assert "--raw" in refused(load, "TS-MODEL-029").fix


def test_a_misspelt_tag_offers_those_there_are_and_an_unknown_model_is_said(hub, load):
    hub.add("org/small", FILES, "v1.0")
    assert "`v1.0`" in refused(lambda: load("org/small:v1.1"), "TS-MODEL-001").fix
    refused(lambda: load("org/unknown"), "TS-MODEL-001")


def test_a_name_and_a_password_of_dockers_file_are_exchanged_for_a_token(hub, load, tmp_path):
    hub.add("org/private", FILES, private=True)
    refused(lambda: load("org/private"), "TS-MODEL-006")
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text(json.dumps({"auths": {hub.place: {"auth": hub.basic}}}))
    hub.seen.clear()
    assert load("org/private")[1] == WANTED
    assert {seen.token for seen in hub.seen if "/cdn/" in seen.path} == {""}
    assert hub.token in {seen.token for seen in hub.seen}


def test_an_endpoint_is_asked_in_the_registrys_place(hub, local_step):
    from tunesmith_oci.loader import OCILoader
    from tunesmith_oci.settings import OCISettings

    info = OCILoader(OCISettings(endpoint=hub.url)).resolve("oci://registry.example/org/small", local_step())
    assert info.format == "model/hf"


@pytest.mark.parametrize(
    "uri",
    ["oci://", "oci://host", "oci://host/Name", "oci://host/a:b c", "oci://host/a@sha256:12", "oci://host/a//../b", "oci://host/../a"],
)
def test_what_is_no_uri_is_refused_with_an_example(uri):
    error = refused(lambda: parse(uri), "TS-MODEL-003")
    assert isinstance(error, UserError)
    assert "oci://" in error.fix


def test_a_uri_names_registry_tag_digest_and_a_place_inside():
    digest = "sha256:" + "a" * 64
    assert (parse("oci://h:5000/a/b").repo, parse("oci://h:5000/a/b").revision) == ("h:5000/a/b", "latest")
    found = parse(f"oci://ghcr.io/org/small:1.0@{digest}//gguf/small.gguf")
    assert (found.repo, found.revision, found.inside, found.pinned) == ("ghcr.io/org/small", digest, "gguf/small.gguf", True)
    assert str(parse("oci://h/a:1.0")) == "oci://h/a:1.0"


@given(st.text())
def test_no_uri_leads_out_of_a_repository(text):
    with contextlib.suppress(UserError):
        parsed = parse("oci://" + text)
        assert ".." not in [*parsed.repo.split("/"), *parsed.inside.split("/")]


# the library oras, in an environment that has nothing else, reads what the tests' server says

ORACLE = """
import json, sys
from pathlib import Path
import oras.client
host, folder = sys.argv[1:]
client = oras.client.OrasClient(hostname=host, insecure=True)
client.pull(target=f"{host}/org/small:latest", outdir=folder, allowed_media_type=[], overwrite=True)
print(json.dumps(sorted(path.name for path in Path(folder).iterdir() if path.is_file())))
"""


@pytest.mark.slow
@pytest.mark.isolated
def test_oras_reads_the_tests_server(hub, tmp_path):
    from tunesmith_sdk.testing.environments import environment_from

    hub.annotation = "org.opencontainers.image.title"
    environment = environment_from("tunesmith_oci", ("oras==0.2.43",), tmp_path / "environments")
    folder = tmp_path / "library"
    folder.mkdir()
    asked = [str(environment.python), "-c", ORACLE, hub.place, str(folder)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
