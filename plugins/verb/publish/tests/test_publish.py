"""What is published is there to the last byte, with a card, and nothing is sent twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.testing.hub_models import model_files

FILES = {name: data for name, data in model_files(300_000).items() if name not in ("pytorch_model.bin", "README.md")}
WEIGHTS = "model.safetensors"


def there(hub, repo: str = "org/bot", branch: str = "main") -> dict[str, bytes]:
    return hub.repos[repo].commits[hub.repos[repo].refs[branch]]


def received(hub) -> int:
    """Bytes of large files that came."""
    return sum(seen.received for seen in hub.seen if "/cdn/put/" in seen.path)


def test_a_model_is_on_the_hub_with_its_card_and_comes_back_as_it_was(hub, publish, local_step):
    from tunesmith_huggingface.loader import HuggingFaceLoader

    status, said = publish("hf://org/bot", "--license", "apache-2.0", "--language", "en", "--json")
    told = json.loads(said)
    assert (status, told["verified"], told["new"]) == (0, True, sorted([*FILES, "README.md"]))
    assert {name: there(hub)[name] for name in FILES} == FILES
    card = there(hub)["README.md"].decode()
    assert "license: apache-2.0" in card
    assert "**download**" in card
    assert hub.repos["org/bot"].private
    step, loader = local_step(), HuggingFaceLoader()
    info = loader.resolve("hf://org/bot", step)
    loader.fetch(info, step.output, step)
    assert (info.revision, {path.name: path.read_bytes() for path in step.output.iterdir()}) == (told["revision"], FILES)


def test_nothing_is_sent_twice_and_what_changed_alone_is_sent(hub, publish):
    assert publish("hf://org/bot")[0] == 0
    hub.seen.clear()
    told = json.loads(publish("hf://org/bot", "--json")[1])
    assert (told["new"], told["changed"], received(hub)) == ([], [], 0)
    assert not [seen for seen in hub.seen if "/commit/" in seen.path]
    hub.add("org/bot", there(hub) | {"tokenizer.json": b"another", "notes.txt": b"theirs"})
    told = json.loads(publish("hf://org/bot", "--json")[1])
    assert (told["changed"], told["other"], received(hub)) == (["tokenizer.json"], ["notes.txt"], 0)
    assert there(hub)["notes.txt"] == b"theirs"
    assert there(hub)["tokenizer.json"] == FILES["tokenizer.json"]


def test_a_plan_sends_nothing(hub, publish):
    status, said = publish("hf://org/bot", "--plan")
    assert status == 0
    assert WEIGHTS in said
    assert "org/bot" not in hub.repos
    assert not received(hub)


@pytest.mark.slow
def test_a_branch_is_made_where_one_is_named_and_everybody_reads_it_where_that_is_said(hub, publish):
    assert publish("hf://org/bot@trial", "--public")[0] == 0
    assert there(hub, branch="trial")[WEIGHTS] == FILES[WEIGHTS]
    assert there(hub) == {}
    assert not hub.repos["org/bot"].private


@pytest.mark.slow
def test_a_connection_that_breaks_is_taken_up_again_and_what_came_is_not_sent_twice(hub, publish):
    hub.fault("put", cut_after=1000)
    assert publish("hf://org/bot")[0] == 0
    hub.add("org/other", {}, private=True)
    hub.seen.clear()
    assert publish("hf://org/other")[0] == 0  # the hub has the weights already
    assert received(hub) == 0


@pytest.mark.slow
def test_bytes_that_were_damaged_on_the_way_are_not_published(hub, publish):
    hub.fault("put", times=20, corrupt=123_456)
    status, said = publish("hf://org/bot")
    assert status != 0
    assert "TS-MODEL-0" in said
    assert WEIGHTS not in there(hub)
    hub.faults.clear()
    assert publish("hf://org/bot")[0] == 0
    assert there(hub)[WEIGHTS] == FILES[WEIGHTS]


@pytest.mark.parametrize("token", [pytest.param("", marks=pytest.mark.slow), "hf_expired"])
def test_who_may_not_write_is_told_and_no_token_is_printed(hub, publish, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    status, said = publish("hf://org/bot")
    assert status != 0
    assert "TS-MODEL-006" in said
    assert "hf_expired" not in said
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert hub.token not in publish("hf://org/bot", "--json")[1]
    assert not [name for name, data in there(hub).items() if hub.token.encode() in data]


def test_a_place_that_has_something_else_than_was_sent_is_noticed(hub, publish, monkeypatch):
    commit = type(hub).handler._commit
    monkeypatch.setattr(type(hub).handler, "_commit", lambda self, name, branch, lines: commit(self, name, branch, lines[:-1]))
    status, said = publish("hf://org/bot")
    assert (status != 0, "TS-PUBLISH-005" in said) == (True, True)


@pytest.mark.parametrize("scheme", ["s3", *(pytest.param(one, marks=pytest.mark.slow) for one in ("gs", "oss"))])
def test_a_store_has_the_files_with_their_digests_and_its_loader_brings_them(store, publish, tmp_path, scheme):
    from tunesmith_storage import loaders

    target = f"{scheme}://bucket/models/bot"
    assert json.loads(publish(target, "--json")[1])["verified"]
    loader, step = {"s3": loaders.S3Loader, "gs": loaders.GSLoader, "oss": loaders.OSSLoader}[scheme](), LocalStep.make(tmp_path)
    info = loader.resolve(target, step)
    loader.fetch(info, step.output, step)
    assert {path.name: path.read_bytes() for path in step.output.iterdir()} == FILES
    assert all(entry["sha256"] for entry in info.files.values())
    assert json.loads(publish(target, "--json")[1])["bytes"] == 0


@pytest.mark.slow
def test_what_a_store_has_otherwise_than_it_was_sent_is_refused_and_the_next_time_sent_again(store, publish):
    store.corrupt = [1000]  # as it is read back
    status, said = publish("s3://bucket/bot")
    assert (status != 0, "TS-MODEL-007" in said) == (True, True)
    told = json.loads(publish("s3://bucket/bot", "--json")[1])
    assert told["verified"]
    assert WEIGHTS in [*told["new"], *told["changed"]]


def test_a_folder_that_was_damaged_is_mended_and_what_else_is_there_stays(publish, tmp_path):
    folder = tmp_path / "shared"
    assert publish(str(folder))[0] == 0
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[77] ^= 1
    (folder / WEIGHTS).write_bytes(weights)
    (folder / "notes.txt").write_text("theirs")
    told = json.loads(publish(f"file://{folder}", "--json")[1])
    assert (told["changed"], told["other"]) == ([WEIGHTS], ["notes.txt"])
    assert (folder / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_what_is_none_is_refused_with_what_there_is(publish, home, capsys):
    from tunesmith_cli.api import main

    assert main(["publish", "modle", "./x"]) != 0
    said = capsys.readouterr().err
    assert "TS-PUBLISH-001" in said
    assert "`model`" in said
    assert "TS-PUBLISH-003" in publish("ftp://host/x")[1]
    assert "TS-MODEL-003" in publish("hf://org/bot/folder")[1]


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_goes_on(hub, publish, home):
    draw = random.Random(5)
    for turn in range(20):
        target = f"hf://org/killed-{turn}"
        process = subprocess.Popen([sys.executable, "-m", "tunesmith_cli", "publish", "model", target, "--yes"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(draw.uniform(0.5, 6.0))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert publish(target)[0] == 0
        assert {name: there(hub, f"org/killed-{turn}")[name] for name in FILES} == FILES
    assert not list(Path(home).glob("**/tunesmith-publish-*"))
