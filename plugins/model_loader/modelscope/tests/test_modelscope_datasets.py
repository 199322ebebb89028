"""Datasets from ModelScope: the API that its own library asks, whole files, and what is said where they don't come."""

import subprocess

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith_modelscope.dataset_source import ModelScopeDatasets

ROWS = b'{"prompt": "a", "completion": "b"}\n'
FILES = {"README.md": b"---\nlicense: mit\n---\n", "train.jsonl": ROWS * 3, "test.jsonl": ROWS}


def brought(step, address: str):
    source = ModelScopeDatasets()
    found = source.find(address, step.work, step)
    source.fetch(found, step.output, step)
    return found, {path.relative_to(step.output).as_posix(): path.read_bytes() for path in step.output.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("address", "name"), [("", "train.jsonl"), (":test", "test.jsonl"), ("/test.jsonl", "test.jsonl")])
def test_the_rows_of_a_split_come_whole(hub, step, address, name):
    hub.add("datasets/org/talks", FILES)
    assert brought(step, f"modelscope://datasets/org/talks{address}")[1] == {name: FILES[name]}


def test_more_files_than_a_page_are_all_listed(hub, step):
    hub.add("datasets/org/many", {f"train/{number:03}.jsonl": ROWS for number in range(401)})
    assert len(brought(step, "modelscope://datasets/org/many")[1]) == 401


def test_what_is_not_there_is_told(hub, step):
    with pytest.raises(UserError) as caught:
        brought(step, "modelscope://datasets/org/nothing")
    assert caught.value.code == "TS-MODEL-001"
    assert "modelscope://datasets/ORG/NAME" in caught.value.fix


def test_a_hub_that_can_t_be_reached_says_what_to_fetch(hub, step, monkeypatch):
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    with pytest.raises(TunesmithError) as caught:
        brought(step, "modelscope://datasets/org/talks")
    assert caught.value.code == "TS-MODEL-002"
    assert "modelscope download --dataset org/talks" in caught.value.fix


ORACLE = """
import sys
from modelscope_hub import HubApi
endpoint, token, folder = sys.argv[1:]
HubApi(endpoint=endpoint, token=token).download_repo("org/talks", repo_type="dataset", local_dir=folder)
"""


@pytest.mark.slow
@pytest.mark.isolated
def test_the_hub_s_own_library_reads_the_tests_server_in_the_same_way(hub, step, tmp_path):
    from tunesmith_sdk.testing.environments import environment_from

    environment = environment_from("tunesmith_modelscope", ("modelscope-hub==0.5.1",), tmp_path / "environments")
    hub.add("datasets/org/talks", FILES, private=True)
    asked = [str(environment.python), "-c", ORACLE, hub.url, hub.token, str(tmp_path / "library")]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {name: (tmp_path / "library" / name).read_bytes() for name in FILES} == FILES
    theirs, hub.seen = {seen.path for seen in hub.seen if "/datasets/" in seen.path}, []
    hub.repos["datasets/org/talks"].private = False
    brought(step, "modelscope://datasets/org/talks")
    assert {seen.path for seen in hub.seen} <= theirs
