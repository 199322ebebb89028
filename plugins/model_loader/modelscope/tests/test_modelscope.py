"""Models from ModelScope: what a URI means, which files come, what is refused and how."""

import contextlib
import hashlib
import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_modelscope.uri import parse
from tunesmith_sdk.testing.hub_models import model_files

FILES = model_files(300_000)
WANTED = {name: FILES[name] for name in ("config.json", "tokenizer.json", "model.safetensors")}


def refused(call) -> UserError:
    with pytest.raises(UserError) as caught:
        call()
    assert caught.value.fix
    return caught.value


def test_the_files_that_a_model_needs_arrive_with_the_hashes_that_the_hub_lists(hub, load):
    info, files = load()
    assert files == WANTED
    assert (info.format, info.config["hidden_size"]) == ("model/hf", 8)
    assert {name: entry["sha256"] for name, entry in info.files.items()} == {n: hashlib.sha256(d).hexdigest() for n, d in WANTED.items()}
    assert not [seen.path for seen in hub.seen if seen.path.endswith((".bin", "README.md"))]


def test_a_revision_is_its_files_whatever_it_is_called(hub, loader, step):
    first = loader().resolve("modelscope://org/small", step)
    hub.add("org/small", FILES, "v1.0")
    assert loader().resolve("modelscope://org/small@v1.0", step).revision == first.revision
    hub.add("org/small", FILES | {"tokenizer.json": b"{}"})
    assert loader().resolve("modelscope://org/small", step).revision != first.revision


def test_a_branch_that_moves_during_the_download_does_no_harm(hub, loader, step):
    loading = loader()
    info = loading.resolve("modelscope://org/small", step)
    hub.add("org/small", {name: b"{}" for name in FILES})
    loading.fetch(info, step.output, step)
    assert {name: (step.output / name).read_bytes() for name in WANTED} == WANTED


def test_more_files_than_one_answer_holds_are_all_listed(hub, loader, step, monkeypatch):
    monkeypatch.setattr("tunesmith_modelscope.hub._MOST_FILES", 6)
    hub.most = 6
    hub.add("org/many", {**WANTED, **{f"extra/{n}/x{n}.json": b"{}" for n in range(3)}, "additional_chat_templates/a.jinja": b"a"})
    assert "additional_chat_templates/a.jinja" in loader().resolve("modelscope://org/many", step).files
    hub.add("org/wide", {**WANTED, **{f"x{n}.json": b"{}" for n in range(6)}})
    assert refused(lambda: loader().resolve("modelscope://org/wide", step)).code == "TS-MODEL-002"


def test_a_file_without_a_hash_is_pinned_when_it_first_comes(hub, load, loader, local_step):
    hub.digests = False
    info, files = load()
    assert files == WANTED
    assert not any(entry["sha256"] for entry in info.files.values())
    hub.seen.clear()
    again = local_step()
    loader().fetch(info, again.output, again)
    assert not hub.seen
    assert (again.output / "model.safetensors").read_bytes() == WANTED["model.safetensors"]


def test_the_token_goes_to_the_hub_and_never_to_where_it_redirects(hub, load, loader, step, monkeypatch):
    hub.add("org/private", FILES, private=True)
    missing = refused(lambda: loader().resolve("modelscope://org/private", step))
    assert (missing.code, "MODELSCOPE_API_TOKEN" in missing.fix) == ("TS-MODEL-001", True)
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", hub.token)
    hub.seen.clear()
    assert load("modelscope://org/private")[1] == WANTED
    assert {seen.token for seen in hub.seen if "/cdn/" not in seen.path} == {hub.token}
    assert {seen.token for seen in hub.seen if "/cdn/" in seen.path} == {""}


def test_an_expired_token_is_said_and_is_in_no_message(hub, loader, step, monkeypatch):
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", "ms-secret")
    hub.expired.add("ms-secret")
    error = refused(lambda: loader().resolve("modelscope://org/small", step))
    assert (error.code, "expired" in error.why) == ("TS-MODEL-006", True)
    assert "ms-secret" not in repr((error.to_json(), step.reports))


def test_a_misspelt_revision_offers_those_there_are_and_an_unknown_model_is_said(hub, loader, step):
    hub.add("org/small", FILES, "release")
    error = refused(lambda: loader().resolve("modelscope://org/small@relaese", step))
    assert (error.code, "`release`" in error.fix) == ("TS-MODEL-001", True)
    assert refused(lambda: loader().resolve("modelscope://org/unknown", step)).code == "TS-MODEL-001"


def test_the_cache_of_the_hubs_own_library_is_read_and_verified(hub, load, tmp_path, monkeypatch):
    folder = tmp_path / "modelscope/models/org/small"
    folder.mkdir(parents=True)
    for name, data in WANTED.items():
        (folder / name).write_bytes(data if name != "tokenizer.json" else b"x" * len(data))  # of the right size, and another file
    assert load()[1] == WANTED
    assert [seen.path for seen in hub.seen if seen.path.endswith("/repo") or "/cdn/" in seen.path] == ["/api/v1/models/org/small/repo"]


def test_offline_asks_nothing_and_names_what_is_missing(hub, load, loader, step, local_step, monkeypatch):
    info = loader().resolve("modelscope://org/small", step)
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    hub.seen.clear()
    error = refused(lambda: loader().fetch(info, step.output, step))
    assert (error.code, "model.safetensors" in error.why, "MB" in error.why) == ("TS-MODEL-002", True, True)
    assert refused(lambda: loader().resolve("modelscope://org/other", step)).code == "TS-MODEL-002"
    assert not hub.seen


@pytest.mark.parametrize(
    ("variable", "value"), [("MODELSCOPE_DOMAIN", "modelscope.example"), ("MODELSCOPE_ENDPOINT", "modelscope.example/")]
)
def test_an_address_may_be_written_without_its_scheme(monkeypatch, variable, value):
    from tunesmith_modelscope.environment_variables import endpoint

    for name in ("MODELSCOPE_DOMAIN", "MODELSCOPE_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert endpoint() == "https://modelscope.example"


@pytest.mark.parametrize(
    "uri", ["modelscope://", "modelscope://name", "modelscope://org/na me", "modelscope://../x", "modelscope://o/n/../y"]
)
def test_what_is_no_uri_is_refused_with_an_example(uri):
    error = refused(lambda: parse(uri))
    assert (error.code, "modelscope://" in error.fix) == ("TS-MODEL-003", True)


@given(st.text())
def test_no_uri_leads_out_of_a_repository(text):
    with contextlib.suppress(UserError):
        parsed = parse("modelscope://" + text)
        assert ".." not in [*parsed.repo.split("/"), *parsed.inside.split("/")]
        assert parsed.revision


# the hub's own library, in an environment that has nothing else, reads what the tests' server says

ORACLE = """
import json, sys
from pathlib import Path
from modelscope_hub import HubApi
endpoint, token, folder = sys.argv[1:]
api = HubApi(endpoint=endpoint, token=token)
api.download_repo("org/small", repo_type="model", local_dir=folder)
print(json.dumps(sorted(path.name for path in Path(folder).iterdir() if path.is_file())))
"""


@pytest.mark.slow
@pytest.mark.isolated
def test_the_hubs_own_library_reads_the_tests_server(hub, tmp_path):
    from tunesmith_sdk.testing.environments import environment_from

    environment = environment_from("tunesmith_modelscope", ("modelscope-hub==0.5.1",), tmp_path / "environments")
    folder = tmp_path / "library"
    hub.cdn = hub.cdn.replace("127.0.0.1", "localhost")  # a host of its own, so that the library keeps its cookies from it
    hub.add("org/small", FILES, private=True)
    asked = [str(environment.python), "-c", ORACLE, hub.url, hub.token, str(folder)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {*json.loads(done.stdout.splitlines()[-1])} >= {*FILES}
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
