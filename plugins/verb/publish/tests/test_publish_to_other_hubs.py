"""What is published to ModelScope or to a container registry is there to the last byte, and its loader and the field's tools bring it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith_sdk.testing.hub_models import model_files

FILES = {name: data for name, data in model_files(300_000).items() if name not in ("pytorch_model.bin", "README.md")}
WEIGHTS = "model.safetensors"


def there(hub, repo: str, branch: str) -> dict[str, bytes]:
    return hub.repos[repo].commits[hub.repos[repo].refs[branch]]


@pytest.fixture(params=["modelscope", "oci"])
def place(request):
    """(The hub, an address at it, the loader, what the hub calls the branch or tag)."""
    if request.param == "modelscope":
        from tunesmith_modelscope.loader import ModelScopeLoader

        return request.getfixturevalue("scope"), "modelscope://org/bot", ModelScopeLoader(), "master"
    from tunesmith_oci.loader import OCILoader

    hub = request.getfixturevalue("registry")
    return hub, f"oci://{hub.place}/org/bot:1.0", OCILoader(), "1.0"


def received(hub) -> int:
    """Bytes of large files that came."""
    return sum(seen.received for seen in hub.seen if "/cdn/put/" in seen.path or "/blobs/uploads/" in seen.path)


def test_a_model_is_there_with_its_card_and_comes_back_as_it_was(place, publish, local_step):
    hub, target, loader, branch = place
    status, said = publish(target, "--license", "apache-2.0", "--json")
    told = json.loads(said)
    assert (status, told["verified"], told["new"]) == (0, True, sorted([*FILES, "README.md"]))
    assert {name: there(hub, "org/bot", branch)[name] for name in FILES} == FILES
    assert b"license: apache-2.0" in there(hub, "org/bot", branch)["README.md"]
    step = local_step()
    info = loader.resolve(target, step)
    loader.fetch(info, step.output, step)
    assert (info.revision, {path.name: path.read_bytes() for path in step.output.iterdir()}) == (told["revision"], FILES)


def test_nothing_is_sent_twice_and_what_else_is_there_stays(place, publish):
    hub, target, _, branch = place
    assert publish(target)[0] == 0
    hub.seen.clear()
    told = json.loads(publish(target, "--json")[1])
    assert (told["new"], told["changed"], received(hub)) == ([], [], 0)
    hub.pushed = {}  # a registry's: of what others pushed, its manifest is made anew
    hub.add("org/bot", there(hub, "org/bot", branch) | {"tokenizer.json": b"another", "notes.txt": b"theirs"}, branch)
    hub.seen.clear()
    told = json.loads(publish(target, "--json")[1])
    assert (told["changed"], told["other"]) == (["tokenizer.json"], ["notes.txt"])
    assert received(hub) < len(FILES[WEIGHTS])
    assert there(hub, "org/bot", branch)["notes.txt"] == b"theirs"
    assert there(hub, "org/bot", branch)["tokenizer.json"] == FILES["tokenizer.json"]


@pytest.mark.slow
def test_bytes_that_were_damaged_on_the_way_are_not_published(place, publish):
    hub, target, _, branch = place
    hub.fault("put", times=20, corrupt=123_456)
    status, said = publish(target)
    assert status != 0
    assert "TS-MODEL-0" in said
    assert "org/bot" not in hub.repos or WEIGHTS not in there(hub, "org/bot", branch)
    hub.faults.clear()
    assert publish(target)[0] == 0
    assert there(hub, "org/bot", branch)[WEIGHTS] == FILES[WEIGHTS]


def test_who_may_not_write_is_told_and_no_token_is_printed(place, publish, monkeypatch):
    hub, target, *_ = place
    for variable in ("MODELSCOPE_API_TOKEN", "TUNESMITH_OCI_TOKEN"):
        monkeypatch.setenv(variable, "expired-token")
    status, said = publish(target)
    assert status != 0
    assert "TS-MODEL-006" in said
    assert "expired-token" not in said
    assert "org/bot" not in hub.repos


def test_a_name_and_a_password_that_docker_keeps_are_exchanged_for_a_token_that_may_push(registry, publish, monkeypatch, tmp_path):
    monkeypatch.delenv("TUNESMITH_OCI_TOKEN")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.place: {"auth": registry.basic}}}))
    assert publish(f"oci://{registry.place}/org/bot:1.0")[0] == 0
    assert there(registry, "org/bot", "1.0")[WEIGHTS] == FILES[WEIGHTS]


def test_oras_brings_what_was_published_to_a_registry(registry, publish, tmp_path: Path):
    import oras.client

    assert publish(f"oci://{registry.place}/org/bot:1.0")[0] == 0
    oras.client.OrasClient(insecure=True).pull(target=f"{registry.place}/org/bot:1.0", outdir=str(tmp_path / "pulled"))
    assert {name: (tmp_path / "pulled" / name).read_bytes() for name in FILES} == FILES


def test_an_address_that_names_no_place_for_a_model_is_refused(registry, scope, publish):
    assert "TS-MODEL-003" in publish("modelscope://org/bot@v2")[1]
    assert "TS-MODEL-003" in publish(f"oci://{registry.place}/org/bot@sha256:{'0' * 64}")[1]
