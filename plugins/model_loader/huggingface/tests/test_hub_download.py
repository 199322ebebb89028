"""Downloads from a hub: only what is needed, in parts, whole and verified whatever the network does."""

import dataclasses
import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tunesmith.errors import Cancelled, TunesmithError, UserError
from tunesmith_hubs.download.partial_file import PartFile

WANTED = {"config.json", "tokenizer.json", "model.safetensors"}
BLOB = "/cdn/"


def weights(files):
    return {name: files[name] for name in WANTED}


def test_the_files_that_a_model_needs_arrive_and_no_others(hub, load, model_files):
    info, files = load()
    assert files == weights(model_files())
    assert info.revision == hub.repos["org/small"].refs["main"]
    assert (info.format, info.config["hidden_size"]) == ("model/hf", 8)
    assert info.files["model.safetensors"]["sha256"] == hashlib.sha256(files["model.safetensors"]).hexdigest()
    assert not [seen.path for seen in hub.seen if seen.path.endswith((".bin", "README.md"))]


def test_resolving_fetches_no_weights(hub, loader, step):
    info = loader().resolve("hf://org/small", step)
    assert info.size > 3_000_000
    assert hub.sent() < 5000


def test_a_big_file_comes_in_parallel_parts_over_one_redirect(hub, load, step):
    load()
    parts = [seen for seen in hub.seen if BLOB in seen.path and seen.sent > 1]
    assert sorted(seen.sent for seen in parts) == sorted(
        [1 << 20, 1 << 20, len(hub.repos["org/small"].commits[_main(hub)]["model.safetensors"]) - (2 << 20)]
    )
    assert len([seen for seen in hub.seen if "/resolve/" in seen.path and "safetensors" in seen.path]) == 1
    totals = [p for p in step.reports.progress if p["what"] == "download"]
    assert totals[-1]["done"] == totals[-1]["total"] > 3_000_000
    assert {p["what"] for p in step.reports.progress} >= WANTED - {"config.json"}


def _main(hub):
    return hub.repos["org/small"].refs["main"]


def test_cut_connections_cost_only_the_bytes_not_yet_received(hub, load, model_files):
    for cut in (300_000, 70_000, 500_000, 1):
        hub.fault("model.safetensors", times=1, cut_after=cut)
    _, files = load()
    assert files == weights(model_files())
    assert hub.sent(BLOB) <= len(files["model.safetensors"]) + 1 + 4 * 262_144


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_errors_that_pass_are_waited_out(hub, load, model_files, status):
    hub.fault("api", times=2, status=status)
    hub.fault("model.safetensors", times=3, status=status)
    hub.fault("tokenizer.json", times=2, status=status)
    assert load()[1] == weights(model_files())


def test_retry_after_is_honoured(hub, loader, step, monkeypatch):
    from tunesmith_hubs.http.patience import Patience

    waits = []
    real = Patience.__init__
    monkeypatch.setattr(Patience, "__init__", lambda self, retries, backoff, sleep: real(self, retries, backoff, lambda s: waits.append(s)))
    hub.fault("api", status=429, headers={"Retry-After": "7"})
    hub.fault("api", status=429, headers={"RateLimit": '"api";r=0;t=11'})
    loader().resolve("hf://org/small", step)
    assert waits == [7.0, 11.0]


def test_a_server_that_asks_for_hours_is_given_up_at_once(hub, loader, step):
    hub.fault("api", status=429, headers={"Retry-After": "7200"})
    with pytest.raises(UserError, match="TS-MODEL-002"):
        loader().resolve("hf://org/small", step)


@pytest.mark.parametrize("position", [0, 1_500_000, 3_000_000])
def test_a_byte_damaged_on_the_way_is_noticed_and_its_part_fetched_again(hub, load, step, model_files, position):
    hub.fault("model.safetensors", times=10**9, corrupt=position, once=True)
    _, files = load()
    assert files == weights(model_files())
    assert [level for level, message in step.reports.logs if "damaged" in message] == ["warning"]
    assert hub.sent(BLOB) <= 2 * len(files["model.safetensors"]) + 1


def test_a_small_file_that_is_damaged_is_fetched_again(hub, load, model_files):
    hub.fault("tokenizer.json", times=1, corrupt=3)
    assert load()[1] == weights(model_files())


def test_a_server_that_never_sends_what_it_promises_is_a_coded_error_and_leaves_nothing(hub, loader, step):
    hub.fault("model.safetensors", times=100, corrupt=99)
    loading = loader()
    info = loading.resolve("hf://org/small", step)
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        loading.fetch(info, step.output, step)
    assert not list(step.output.iterdir())
    hub.faults.clear()
    loading.fetch(info, step.output, step)


def test_a_file_is_held_to_the_hash_that_was_planned_with(loader, step):
    info = loader().resolve("hf://org/small", step)
    files = {**info.files, "model.safetensors": {**info.files["model.safetensors"], "sha256": "0" * 64}}
    with pytest.raises(TunesmithError, match="TS-MODEL-007"):
        loader().fetch(dataclasses.replace(info, files=files), step.output, step)
    assert not list(step.output.rglob("*.safetensors"))


def test_a_server_without_ranges_sends_the_file_in_one_piece(hub, load, model_files):
    hub.fault("model.safetensors", times=1, ignore_range=True)
    hub.fault("model.safetensors", times=1, ignore_range=True, cut_after=1_000_000)
    hub.fault("model.safetensors", times=9, ignore_range=True)
    assert load()[1] == weights(model_files())


def test_an_address_that_expires_during_the_download_is_asked_for_again(hub, load, model_files):
    hub.add("org/long", model_files(6_000_000))
    fault = hub.fault("model.safetensors", times=50, delay=0.01)
    threading.Thread(target=lambda: (hub.streaming.wait(), setattr(hub, "signature", 2)), daemon=True).start()
    _, files = load("hf://org/long", connections=2)
    assert fault.times < 50
    assert files == weights(model_files(6_000_000))
    assert len([seen for seen in hub.seen if "/resolve/" in seen.path and "safetensors" in seen.path]) > 1


def test_the_token_goes_to_the_hub_and_never_to_the_cdn(hub, load, model_files, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", hub.token)
    hub.add("org/private", model_files(), private=True)
    assert load("hf://org/private")[1] == weights(model_files())
    assert {seen.token for seen in hub.seen if BLOB in seen.path} == {""}
    assert {seen.token for seen in hub.seen if BLOB not in seen.path} == {hub.token}


def test_the_token_may_lie_in_a_file(hub, load, model_files, tmp_path):
    hub.add("org/private", model_files(), private=True)
    (tmp_path / "hf-home").mkdir()
    (tmp_path / "hf-home/token").write_text(hub.token + "\n")
    assert load("hf://org/private")[1] == weights(model_files())


def test_cancelling_ends_a_download_and_keeps_what_came(hub, loader, step, model_files):
    hub.fault("model.safetensors", times=50, delay=0.05)
    loading = loader()
    info = loading.resolve("hf://org/small", step)
    threading.Thread(target=lambda: (hub.streaming.wait(), step.cancelled.set()), daemon=True).start()
    with pytest.raises(Cancelled):
        loading.fetch(info, step.output, step)
    assert not list(step.output.iterdir())


@pytest.mark.parametrize("delay", [0.02, 0.1])
def test_killed_in_the_middle_it_goes_on_and_fetches_only_what_is_missing(hub, load, model_files, tmp_path, delay):
    size = 12_000_000
    hub.add("org/big", model_files(size))
    fault = hub.fault("model.safetensors", times=1000, delay=delay)
    script = (
        "import sys; from pathlib import Path; from tunesmith_sdk.local_step import LocalStep\n"
        "from tunesmith_huggingface.loader import HuggingFaceLoader\n"
        "from tunesmith_huggingface.settings import HuggingFaceSettings\n"
        "step = LocalStep.make(Path(sys.argv[1])); loader = HuggingFaceLoader(HuggingFaceSettings(part_mib=1, connections=3))\n"
        "loader.fetch(loader.resolve('hf://org/big', step), step.output, step)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "killed")])
    while hub.sent(BLOB) < size // 3:
        assert process.poll() is None
        hub.streaming.wait(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    fault.times = 0
    content = model_files(size)["model.safetensors"]
    partial = tmp_path / "cache/hubs/partial" / hashlib.sha256(content).hexdigest()
    left = PartFile(partial, len(content), 1)
    arrived = left.done
    left.close()
    assert arrived > 0
    hub.seen.clear()
    _, files = load("hf://org/big")
    assert files == weights(model_files(size))
    assert hub.sent(BLOB) == len(content) - arrived + 1  # and one to see whether the server gives parts


def test_parts_that_a_dying_machine_did_not_write_are_fetched_again(hub, loader, step, model_files, tmp_path):
    """After a power failure a record may be on the disk while the bytes it counts are not: the part is all zeros."""
    hub.fault("model.safetensors", times=50, delay=0.01)
    loading = loader(connections=1)
    info = loading.resolve("hf://org/small", step)
    threading.Thread(target=lambda: (_until(lambda: hub.sent(BLOB) > 2_000_000), step.cancelled.set()), daemon=True).start()
    with pytest.raises(Cancelled):
        loading.fetch(info, step.output, step)
    step.cancelled.clear()
    hub.faults.clear()
    partial = max((tmp_path / "cache/hubs/partial").glob("*[0-9a-f]"), key=lambda path: path.stat().st_size)
    with partial.open("r+b") as file:
        file.write(bytes(100))
    loading.fetch(info, step.output, step)
    assert (step.output / "model.safetensors").read_bytes() == model_files()["model.safetensors"]
    assert not [message for _, message in step.reports.logs if "damaged" in message]


def _until(condition):
    while not condition():
        threading.Event().wait(0.01)


def test_two_processes_that_want_the_same_download_it_once(hub, loader, local_step, model_files):
    hub.fault("model.safetensors", times=50, delay=0.01)
    steps = [local_step(), local_step()]

    def run(step):
        loading = loader()
        loading.fetch(loading.resolve("hf://org/small", step), step.output, step)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((step.output / "model.safetensors").read_bytes() == model_files()["model.safetensors"] for step in steps)
    assert hub.sent(BLOB) <= len(model_files()["model.safetensors"]) + 1


def test_too_little_disk_space_is_said_before_anything_is_fetched(hub, loader, step, monkeypatch):
    import shutil

    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    loading = loader()
    info = loading.resolve("hf://org/small", step)
    with pytest.raises(TunesmithError, match="TS-MODEL-009"):
        loading.fetch(info, step.output, step)
    assert hub.sent(BLOB) == 0


def test_a_disk_that_fills_up_is_a_coded_error(hub, loader, step, monkeypatch):
    def full(self, part, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PartFile, "write", full)
    loading = loader()
    with pytest.raises(TunesmithError, match="TS-MODEL-009"):
        loading.fetch(loading.resolve("hf://org/small", step), step.output, step)


def test_files_with_equal_contents_and_an_empty_one_are_no_trouble(hub, load, model_files):
    hub.add("org/twins", model_files(**{"vocab.json": b"{}", "added_tokens.json": b"{}", "merges.txt": b""}))
    _, files = load("hf://org/twins")
    assert (files["vocab.json"], files["added_tokens.json"], files["merges.txt"]) == (b"{}", b"{}", b"")


def test_a_model_that_was_uploaded_broken_is_not_accepted(hub, load, model_files):
    hub.add("org/broken", model_files() | {"model.safetensors": model_files()["model.safetensors"][:-7]})
    with pytest.raises(UserError, match="TS-MODEL-008"):
        load("hf://org/broken")


def test_the_outputs_files_share_their_space_with_the_cache(hub, load, step):
    load()
    assert all(path.stat().st_nlink == 2 for path in Path(step.output).iterdir())
