"""Pickled weights: what is made of harmless ones is equal to the last bit; nothing of the others is run."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import os
import pickle
import random
import socket
import subprocess
import sys

import pytest

from tunesmith.contracts.settings import problems, schema_of
from tunesmith.errors import TunesmithError
from tunesmith_file.api import declared_layouts
from tunesmith_file.loader import FileLoader
from tunesmith_unpickle import reading_process
from tunesmith_unpickle.comparison import compare
from tunesmith_unpickle.plugin import exporter
from tunesmith_unpickle.settings import UnpickleSettings
from tunesmith_unpickle.tensor_records import NotTensors, read

torch = pytest.importorskip("torch", reason="the runtime of this plugin is not installed")


def refused(call, code: str) -> TunesmithError:
    with pytest.raises(TunesmithError) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.fix
    return caught.value


def loaded(folder) -> dict:
    from safetensors.torch import load_file

    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


@pytest.mark.parametrize("legacy", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_tensor_is_there_to_the_last_bit_and_what_lies_beside_it(checkpoint, unpickle, legacy):
    folder = checkpoint(legacy=legacy)
    digest = hashlib.sha256((folder / "pytorch_model.bin").read_bytes()).hexdigest()
    step = unpickle(folder, allow=f"{'0' * 64} {digest}")
    wanted, found = torch.load(folder / "pytorch_model.bin", weights_only=True), loaded(step.output)
    assert found.keys() == wanted.keys()
    assert all(found[name].dtype == one.dtype and torch.equal(found[name], one.data) for name, one in wanted.items())
    assert sorted(path.name for path in step.output.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert step.result.metrics["tensors"] == len(wanted)


@pytest.mark.slow
def test_shards_keep_their_numbers_and_the_index_is_written_anew(checkpoint, unpickle):
    names = [f"pytorch_model-0000{number}-of-00002.bin" for number in (1, 2)]
    for number, name in enumerate(names):
        folder = checkpoint({f"layer.{number}": torch.full((3,), float(number))}, name=name)
    index = {"metadata": {"total_size": 24}, "weight_map": {f"layer.{number}": name for number, name in enumerate(names)}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    checkpoint({"old": torch.zeros(1)}, name="pytorch_model.fp16.bin")  # another copy, which the index does not name
    output = unpickle(folder).output
    said = json.loads((output / "model.safetensors.index.json").read_text())["weight_map"]
    assert said == {f"layer.{number}": f"model-0000{number + 1}-of-00002.safetensors" for number in (0, 1)}
    assert {path.name for path in output.glob("*.safetensors")} == {*said.values()}
    assert not [*output.glob("*.bin*")]


# what runs when it is loaded: each puts a file into the current folder


class _Runs:
    def __init__(self, call, *arguments):
        self.made = (call, arguments)

    def __reduce__(self):
        return self.made


HARMFUL = {
    "os.system": lambda mark: _Runs(os.system, f"touch {mark}"),
    "exec": lambda mark: _Runs(exec, f"open({str(mark)!r}, 'w')"),
    "subprocess": lambda mark: _Runs(subprocess.call, ["touch", str(mark)]),
    "open": lambda mark: _Runs(open, str(mark), "w"),
    "a module that the scanner does not know": lambda mark: _Runs(json.JSONDecoder),
    "a counter": lambda mark: collections.Counter("ab"),
    "load": lambda mark: _Runs(pickle.loads, pickle.dumps(_Runs(os.system, f"touch {mark}"))),
    "torch.hub": lambda mark: _Runs(torch.hub.load_state_dict_from_url, f"file://{mark}"),
    "torch.load": lambda mark: _Runs(torch.load, str(mark)),
    "connect": lambda mark: _Runs(socket.create_connection, ("127.0.0.1", 9)),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("harm", HARMFUL)
def test_nothing_that_would_run_is_run_by_any_of_the_locks(checkpoint, unpickle, tmp_path, harm, legacy):
    mark = tmp_path / "it ran"
    folder = checkpoint({"weight": torch.zeros(2), "harm": HARMFUL[harm](mark)}, legacy=legacy)
    assert "no tensor is made of" in refused(lambda: unpickle(folder), "TS-MODEL-025").why
    with pytest.raises(NotTensors, match="no tensor is made of"):  # the second reader, alone
        list(read(folder / "pytorch_model.bin"))
    with contextlib.nullcontext() if harm == "a counter" else pytest.raises(pickle.UnpicklingError):  # PyTorch's own, alone
        torch.load(folder / "pytorch_model.bin", weights_only=True)
    assert not mark.exists()


def test_what_the_scan_lets_pass_the_process_refuses(checkpoint, unpickle, tmp_path, monkeypatch):
    monkeypatch.setattr("tunesmith_unpickle.exporter.scan", lambda path: None)
    folder = checkpoint({"weight": torch.zeros(2), "harm": HARMFUL["os.system"](tmp_path / "it ran")})
    assert "PyTorch does not load it" in refused(lambda: unpickle(folder), "TS-MODEL-025").why
    assert not (tmp_path / "it ran").exists()


def test_a_hundred_damaged_pickles_are_refused_or_give_what_another_reader_finds(checkpoint, unpickle):
    folder, draw = checkpoint({"weight": torch.arange(40.0), "bias": torch.ones(3)}, legacy=True), random.Random(7)
    path = folder / "pytorch_model.bin"
    whole = path.read_bytes()
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(draw.randrange(1, 4)):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(data))
        try:
            found = {name: record.values(storage) for name, record, storage in read(path)}
        except NotTensors:
            continue
        assert {*map(type, found)} <= {str}


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1, 2]), pickle.dumps({"a": 1}), b"PK\x05\x06" + bytes(18)])
def test_what_is_no_state_dictionary_is_refused(checkpoint, unpickle, content):
    folder = checkpoint()
    (folder / "pytorch_model.bin").write_bytes(content)
    refused(lambda: unpickle(folder), "TS-MODEL-025")


@pytest.mark.parametrize("wrapped", [{"state_dict": {"a": 1}}, {"epoch": 3}, {}])
def test_a_training_librarys_wrapping_is_said(checkpoint, unpickle, wrapped):
    refused(lambda: unpickle(checkpoint(wrapped)), "TS-MODEL-025")


def test_digests_that_are_listed_are_held_to(checkpoint, unpickle):
    folder = checkpoint()
    digest = hashlib.sha256((folder / "pytorch_model.bin").read_bytes()).hexdigest()
    assert digest in refused(lambda: unpickle(folder, allow="0" * 64), "TS-MODEL-027").why


def test_what_was_converted_wrongly_is_not_published(checkpoint, unpickle):
    folder = checkpoint({"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)})
    from safetensors.torch import save_file

    right = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)}
    others = {"c": right["b"].clone()}, {"a": right["a"].t().contiguous()}, {"b": right["b"] + 1}, {"b": right["b"].half()}
    for wrong in ({"a": right["a"]}, *(right | other for other in others)):
        save_file(wrong, folder / "wrong.safetensors")
        refused(lambda: compare(folder / "pytorch_model.bin", folder / "wrong.safetensors"), "TS-MODEL-028")
    save_file(right, folder / "right.safetensors")
    assert compare(folder / "pytorch_model.bin", folder / "right.safetensors") == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="namespaces are Linux's")
def test_the_process_has_no_network(tmp_path):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        call = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 1)"
        code = f"import tunesmith_unpickle.reading_process as process; process._cut_off(); {call}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, "unreachable" in done.stderr) == (1, True)
        assert subprocess.run([sys.executable, "-c", call], check=False, timeout=60).returncode == 0


@pytest.mark.slow
def test_where_the_network_can_not_be_cut_off_it_is_refused_unless_the_user_says_otherwise(checkpoint, unpickle, tmp_path, monkeypatch):
    script = tmp_path / "reading.py"
    source = open(reading_process.__file__, encoding="utf-8").read()  # noqa: SIM115
    script.write_text(source.replace("_NEW_IPC, _NEW_USER, _NEW_NET = ", "_NEW_IPC, _NEW_USER, _NEW_NET = -1, -1, -1  # "))
    monkeypatch.setattr(reading_process, "__file__", str(script))
    folder = checkpoint()
    assert "without_network" in refused(lambda: unpickle(folder), "TS-MODEL-026").fix
    assert unpickle(folder, without_network=False).result.metrics["tensors"]


def test_tokens_do_not_reach_the_process(checkpoint, unpickle, tmp_path, monkeypatch):
    script = tmp_path / "reading.py"
    script.write_text(f"import os\nopen({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))\nraise SystemExit(124)")
    monkeypatch.setattr(reading_process, "__file__", str(script))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    refused(lambda: unpickle(checkpoint()), "TS-MODEL-025")
    assert "hf_secret" not in (tmp_path / "seen").read_text()


def test_a_loader_brings_them_only_where_this_plugin_is(checkpoint, local_step):
    folder, step = checkpoint(), local_step()
    refused(lambda: FileLoader().resolve(str(folder), step), "TS-MODEL-005")
    step.facts = {"layouts": [exporter().facts["layouts"]]}
    assert declared_layouts(step.facts)
    info = FileLoader().resolve(str(folder), step)
    assert (info.format, "pytorch_model.bin" in info.files) == ("model/pickle", True)
    torch.save({}, folder / "optimizer.pt")
    assert "optimizer.pt" not in FileLoader().resolve(str(folder), step).files


def test_it_has_to_be_asked_for():
    assert [path for path, _ in problems(schema_of(UnpickleSettings), {})] == ["allow"]
    assert problems(schema_of(UnpickleSettings), {"allow": "yes"})
