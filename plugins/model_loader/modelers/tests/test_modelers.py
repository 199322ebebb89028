"""Models and datasets from Modelers: what a URI means, which files come, what is refused and how."""

import contextlib
import hashlib
import json
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_modelers.dataset_source import ModelersDatasets
from tunesmith_modelers.uri import parse
from tunesmith_sdk.testing.hub_models import model_files

FILES = model_files(300_000)
WANTED = {name: FILES[name] for name in ("config.json", "tokenizer.json", "model.safetensors")}
ROWS = b'{"prompt": "a", "completion": "b"}\n'


def refused(call) -> UserError:
    with pytest.raises(UserError) as caught:
        call()
    assert caught.value.fix
    return caught.value


def test_the_files_that_a_model_needs_arrive_as_the_hub_lists_them(hub, load):
    info, files = load()
    assert files == WANTED
    assert (info.format, info.config["hidden_size"]) == ("model/hf", 8)
    assert info.files["model.safetensors"]["sha256"] == hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    assert info.revision == hub.repos["org/small"].refs["main"]
    assert not [seen.path for seen in hub.seen if seen.path.endswith((".bin", "README.md"))]


def test_a_small_file_of_another_content_is_refused_by_the_hash_that_git_gives_it(hub, loader, step):
    info = loader().resolve("modelers://org/small", step)
    commit = hub.repos["org/small"].commits[info.revision]
    commit["tokenizer.json"] = b"x" * len(commit["tokenizer.json"])
    with pytest.raises(Exception, match="TS-MODEL-007"):
        loader().fetch(info, step.output, step)


def test_a_branch_that_moves_during_the_download_does_no_harm(hub, loader, step):
    loading = loader()
    info = loading.resolve("modelers://org/small", step)
    hub.add("org/small", {name: b"{}" for name in FILES})
    loading.fetch(info, step.output, step)
    assert {name: (step.output / name).read_bytes() for name in WANTED} == WANTED


def test_files_in_folders_are_listed_and_a_tag_is_a_revision(hub, loader, step):
    more = {**WANTED, "additional_chat_templates/deep/a.jinja": b"a", "additional_chat_templates/b.jinja": b"b"}
    commit = hub.add("org/many", more, "v1.0")
    info = loader().resolve("modelers://org/many@v1.0", step)
    assert info.revision == commit
    assert "additional_chat_templates/b.jinja" in info.files


def test_the_token_goes_to_the_hub_and_never_to_where_it_redirects(hub, load, loader, step, monkeypatch):
    hub.add("org/private", FILES, private=True)
    missing = refused(lambda: loader().resolve("modelers://org/private", step))
    assert (missing.code, "TUNESMITH_MODELERS_TOKEN" in missing.fix) == ("TS-MODEL-001", True)
    monkeypatch.setenv("TUNESMITH_MODELERS_TOKEN", hub.token)
    hub.seen.clear()
    assert load("modelers://org/private")[1] == WANTED
    assert {seen.token for seen in hub.seen if "/cdn/" not in seen.path} == {hub.token}
    assert {seen.token for seen in hub.seen if "/cdn/" in seen.path} == {""}


def test_an_expired_token_is_said_and_is_in_no_message(hub, loader, step, monkeypatch):
    monkeypatch.setenv("TUNESMITH_MODELERS_TOKEN", "modelers-secret")
    hub.expired.add("modelers-secret")
    error = refused(lambda: loader().resolve("modelers://org/small", step))
    assert (error.code, "expired" in error.why) == ("TS-MODEL-006", True)
    assert "modelers-secret" not in repr((error.to_json(), step.reports))


@pytest.mark.parametrize("uri", ["modelers://org/unknown", "modelers://org/small@gone"])
def test_what_is_not_there_is_told(hub, loader, step, uri):
    assert refused(lambda: loader().resolve(uri, step)).code == "TS-MODEL-001"


def test_an_answer_that_is_not_the_hub_s_is_told(hub, loader, step):
    hub.fault("api", times=9, status=200)
    assert refused(lambda: loader().resolve("modelers://org/small", step)).code == "TS-MODEL-002"


def test_the_cache_of_the_hub_s_own_library_is_read_and_verified(hub, load, tmp_path):
    commit = hub.repos["org/small"].refs["main"]
    folder = tmp_path / "xdg/openmind/hub/models--org--small/snapshots" / commit
    folder.mkdir(parents=True)
    for name, data in WANTED.items():
        (folder / name).write_bytes(data if name != "tokenizer.json" else b"x" * len(data))  # of the right size, and another file
    assert load()[1] == WANTED
    assert [seen.path.rpartition("/")[2] for seen in hub.seen if "/media/" in seen.path] == ["tokenizer.json"]


def test_offline_asks_nothing_and_names_what_is_missing(hub, loader, step, monkeypatch):
    info = loader().resolve("modelers://org/small", step)
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    hub.seen.clear()
    error = refused(lambda: loader().fetch(info, step.output, step))
    assert (error.code, "model.safetensors" in error.why) == ("TS-MODEL-002", True)
    assert not hub.seen


@pytest.mark.parametrize("uri", ["modelers://", "modelers://name", "modelers://org/na me", "modelers://../x", "modelers://o/n/../y"])
def test_what_is_no_uri_is_refused_with_an_example(uri):
    error = refused(lambda: parse(uri))
    assert (error.code, "modelers://" in error.fix) == ("TS-MODEL-003", True)


@given(st.text())
def test_no_uri_leads_out_of_a_repository(text):
    with contextlib.suppress(UserError):
        parsed = parse("modelers://" + text)
        assert ".." not in [*parsed.repo.split("/"), *parsed.inside.split("/")]
        assert parsed.revision


@pytest.mark.parametrize(("address", "name"), [("", "train.jsonl"), (":test", "test.jsonl"), ("/deep/x.jsonl", "x.jsonl")])
def test_the_rows_of_a_dataset_come(hub, step, address, name):
    files = {"train.jsonl": ROWS * 3, "test.jsonl": ROWS, "deep/x.jsonl": ROWS * 2, "README.md": b"---\nlicense: mit\n---\n"}
    if not address.startswith("/"):
        del files["deep/x.jsonl"]
    hub.add("datasets/org/talks", files)
    source = ModelersDatasets()
    found = source.find(f"modelers://datasets/org/talks{address}", step.work, step)
    source.fetch(found, step.output, step)
    assert [path.name for path in step.output.rglob("*") if path.is_file()] == [name]


def test_a_dataset_that_can_t_be_fetched_says_how_to_bring_it(hub, step, monkeypatch):
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    error = refused(lambda: ModelersDatasets().find("modelers://datasets/org/talks", step.work, step))
    assert "snapshot_download" in error.fix


# the hub's own library, in an environment that has nothing else, reads what the tests' server says. It asks hosts of its list alone, over
# HTTPS: its requests to one of them are sent to this machine. Without a token, which it would send along with a redirect

ORACLE = """
import json, sys
from pathlib import Path
import requests
here, cdn, folder = sys.argv[1:]
send = requests.Session.send

def sent(session, request, **more):
    request.url = request.url.replace("https://hub.mindspore.cn", here).replace("https://cdn.mindspore.cn", cdn)
    return send(session, request, **more)

requests.Session.send = sent
from openmind_hub import snapshot_download
snapshot_download("org/small", endpoint="https://hub.mindspore.cn", local_dir=folder, cache_dir=folder + "-cache",
                  local_dir_use_symlinks=False)
print(json.dumps(sorted(path.name for path in Path(folder).iterdir() if path.is_file())))
"""


@pytest.mark.slow
@pytest.mark.isolated
def test_the_hub_s_own_library_reads_the_tests_server(hub, tmp_path):
    from tunesmith_sdk.testing.environments import environment_from

    environment = environment_from("tunesmith_modelers", ("openmind-hub==1.3.0",), tmp_path / "environments")
    folder, cdn = tmp_path / "library", hub.cdn
    hub.cdn = "https://cdn.mindspore.cn"
    hub.add("org/small", FILES)
    asked = [str(environment.python), "-c", ORACLE, hub.url, cdn, str(folder)]
    kept = {name: value for name, value in os.environ.items() if name != "OPENMIND_HUB_ENDPOINT"}
    done = subprocess.run(asked, env=kept, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {*json.loads(done.stdout.splitlines()[-1])} >= {*FILES}
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
