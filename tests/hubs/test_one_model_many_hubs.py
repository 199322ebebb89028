"""A model is its digests: from whichever hub, mirror or directory it comes, it is one artifact, and comes once."""

from __future__ import annotations

import hashlib

import pytest

from tunesmith.errors import TunesmithError
from tunesmith.running.store.hashing import artifact_digest
from tunesmith_file.loader import FileLoader
from tunesmith_sdk.testing.hub_models import model_files

WEIGHTS = "model.safetensors"


def test_a_model_that_came_from_one_hub_is_not_fetched_from_another(made):
    first, second = made("huggingface"), made("modelscope")
    assert first.load()[0] == first.files
    assert second.load()[0] == first.files
    assert second.server.sent("/cdn/") == 0


def test_a_download_that_one_hub_began_goes_on_from_another_in_the_middle_of_the_file(made):
    first, second = made("huggingface"), made("modelscope")
    for hub in (first, second):
        hub.put(model_files(3_000_000))
    first.server.fault(WEIGHTS, times=9, cut_after=70_000)
    first.server.fault(WEIGHTS, times=10**9, status=503)
    with pytest.raises(TunesmithError, match="TS-MODEL-002"):
        first.load(max_retries=1)
    assert second.load()[0] == second.files
    assert 0 < second.server.sent("/cdn/") < len(second.files[WEIGHTS])


def test_a_mirror_gives_what_the_hub_does_not(hub, mirror):
    hub.server.fault(WEIGHTS, times=1000, status=404)
    files, step = hub.load(mirrors=(mirror.url,))
    assert files == hub.files
    assert [message for _, message in step.reports.logs if "going on from" in message]


def test_a_mirror_is_asked_what_a_revision_is_when_the_hub_can_not_be_reached(hub, mirror, monkeypatch):
    monkeypatch.setenv(hub.kind.endpoint, "http://127.0.0.1:9")
    assert hub.load(mirrors=(mirror.url,), max_retries=0)[0] == hub.files


def test_a_mirror_with_another_file_is_not_believed_and_the_next_one_is_asked(hub, mirror):
    hub.server.fault(WEIGHTS, times=1000, corrupt=5)
    files, step = hub.load(mirrors=(mirror.url,))
    assert files == hub.files
    assert [message for _, message in step.reports.logs if "sends another" in message]


def test_code_and_pickles_beside_a_model_never_come(hub):
    config = b'{"model_type": "tilt", "auto_map": {"AutoModelForCausalLM": "modeling_tilt.Tilt"}}'
    code = {"modeling_tilt.py": b"raise SystemExit", "pytorch_model.bin": b"pickle", "scaler.pt": b"pickle", "run.sh": b"exit 1"}
    hub.put(model_files(1000) | {"config.json": config} | code)
    assert set(hub.load()[0]) == {"config.json", "tokenizer.json", "model.safetensors"}
    assert not [seen.path for seen in hub.server.seen if seen.path.endswith((".py", ".bin", ".pt", ".sh"))]


def test_a_mirror_without_a_scheme_is_refused(hub):
    with pytest.raises(TunesmithError, match="TS-MODEL-003"):
        hub.load(mirrors=("mirror.example",))


def test_when_a_name_has_moved_the_log_says_what_differs(hub):
    hub.load()
    config = hub.files["config.json"].replace(b'"vocab_size": 11', b'"vocab_size": 12')
    hub.put(model_files(300_010) | {"config.json": config, "chat_template.jinja": b"{{ x }}"})
    said = [message for level, message in hub.load()[1].reports.logs if level == "warning"]
    assert len(said) == 1
    assert "vocab_size: 11 -> 12" in said[0]
    assert "chat_template.jinja is new" in said[0]
    assert "weights differ in 1 file" in said[0]
    assert "tokenizer.json" not in said[0]


def test_a_directory_a_mirror_and_two_hubs_make_one_artifact(made, local_step, tmp_path):
    def digest(step):
        files = {path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size) for path in step.output.iterdir()}
        return artifact_digest("model/hf", files, {})

    digests = set()
    for name in ("huggingface", "modelscope"):
        step = made(name).load()[1]
        digests.add(digest(step))
    folder, step = tmp_path / "model", local_step()
    folder.mkdir()
    for name, data in model_files(300_000).items():
        if not name.endswith(".bin"):
            (folder / name).write_bytes(data)
    loader = FileLoader()
    loader.fetch(loader.resolve(f"file://{folder}", step), step.output, step)
    digests.add(digest(step))
    assert len(digests) == 1


def test_mirrors_may_be_named_in_the_environment(hub, mirror, monkeypatch):
    monkeypatch.setenv(hub.kind.endpoint, "http://127.0.0.1:9")
    monkeypatch.setenv(hub.kind.mirrors, f"http://127.0.0.1:9 {mirror.url}")
    assert hub.load(max_retries=0)[0] == hub.files
