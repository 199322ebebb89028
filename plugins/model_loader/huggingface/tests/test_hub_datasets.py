"""Datasets from the Hugging Face hub: which files an address means, that they come whole, and what is said where they don't."""

import hashlib
import json

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith_huggingface.dataset_source import HuggingFaceDatasets

REPO = "datasets/org/talks"


def rows(*names: str) -> bytes:
    return "".join(json.dumps({"prompt": name, "completion": name.upper()}) + "\n" for name in names).encode()


def card(*configs: str) -> bytes:
    return ("---\nlicense: mit\nconfigs:\n" + "".join(configs) + "---\n# Talks\n").encode()


CONFIGS = card(
    "- config_name: short\n  default: true\n  data_files:\n"
    "  - split: train\n    path: short/train-*\n  - split: test\n    path: short/t.jsonl\n",
    "- config_name: long\n  data_files: long/*.jsonl\n",
)
FILES = {
    "README.md": CONFIGS, "short/train-0.jsonl": rows("a", "b"), "short/train-1.jsonl": rows("c"), "short/t.jsonl": rows("d"),
    "long/x.jsonl": rows("e"), "notes.md": b"?",
}  # fmt: skip
LAYOUTS = {
    "a card": (FILES, ["", "short", "short/test", "long"]),
    "names of files": ({"data/train-00000-of-00002.jsonl": rows("a"), "data/train-00001-of-00002.jsonl": rows("b"),
                        "data/dev-00000-of-00001.jsonl": rows("c")}, ["default/train", "default/dev"]),
    "names of folders": ({"training/1.jsonl": rows("a"), "testing/1.jsonl": rows("b")}, ["default/train", "default/test"]),
    "one file": ({"talks.jsonl": rows("a", "b")}, ["default/train"]),
    "most are of one kind": ({"a.csv": b"prompt,completion\nx,y\n", "b.jsonl": rows("a"), "c.jsonl": rows("b")}, ["default/train"]),
}  # fmt: skip


@pytest.fixture
def brought(hub, local_step):
    """``brought(address)``: (what was found, the files that were fetched)."""

    def run(address: str):
        step = local_step()
        source = HuggingFaceDatasets()
        found = source.find(address, step.work, step)
        source.fetch(found, step.output, step)
        return found, {p.relative_to(step.output).as_posix(): p.read_bytes() for p in step.output.rglob("*") if p.is_file()}

    return run


@pytest.mark.parametrize(("layout", "which"), [(name, which) for name, (_, several) in LAYOUTS.items() for which in several])
def test_the_rows_are_those_that_the_library_datasets_reads(hub, brought, tmp_path, layout, which):
    datasets = pytest.importorskip("datasets", reason="needs the library datasets, the oracle")
    files = LAYOUTS[layout][0]
    hub.add(REPO, files)
    for name, data in files.items():
        path = tmp_path / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found, fetched = brought("hf://datasets/org/talks" + (f":{which.removeprefix('default/')}" if which else ""))
    config, _, split = which.partition("/")
    expected = datasets.load_dataset(str(tmp_path / "copy"), config or None, split=split or "train", cache_dir=str(tmp_path / "arrow"))
    read = [json.loads(line)["prompt"] for name in found.rows for line in fetched[name].decode().splitlines()]
    assert read == expected["prompt"][:]
    assert set(fetched) == set(found.files) == set(found.rows)


def test_every_byte_is_what_the_hub_s_own_library_fetches(hub, brought, tmp_path):
    huggingface_hub = pytest.importorskip("huggingface_hub", reason="needs the hub's own library, the oracle")
    hub.add(REPO, FILES | {"long/x.bin": b"\0" * 3_000_000})
    _, fetched = brought("hf://datasets/org/talks:short/test")
    path = huggingface_hub.hf_hub_download(
        "org/talks", "short/t.jsonl", repo_type="dataset", endpoint=hub.url, cache_dir=tmp_path / "own", token=False
    )
    with open(path, "rb") as file:
        assert fetched == {"short/t.jsonl": file.read()}


def test_a_flipped_byte_is_fetched_again_and_what_is_here_is_not(hub, brought):
    data = rows(*map(str, range(2000)))
    hub.add(REPO, {"train.jsonl": data})
    hub.fault("train.jsonl", corrupt=1000, once=True)
    assert brought("hf://datasets/org/talks")[1] == {"train.jsonl": data}
    before = hub.sent("train.jsonl")
    assert brought("hf://datasets/org/talks")[1] == {"train.jsonl": data}
    assert hub.sent("train.jsonl") == before


def test_the_cache_of_the_hub_s_own_library_is_read(hub, brought, tmp_path, monkeypatch):
    huggingface_hub = pytest.importorskip("huggingface_hub", reason="needs the hub's own library, which fills the cache")
    hub.add(REPO, FILES)
    for name in ("README.md", "long/x.jsonl"):
        huggingface_hub.hf_hub_download(
            "org/talks", name, repo_type="dataset", endpoint=hub.url, cache_dir=tmp_path / "hf-home/hub", token=False
        )
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    assert brought("hf://datasets/org/talks:long")[1] == {"long/x.jsonl": FILES["long/x.jsonl"]}


@pytest.mark.parametrize(
    ("address", "files"),
    [
        ("hf://datasets/org/talks/short", ["short/t.jsonl", "short/train-0.jsonl", "short/train-1.jsonl"]),
        ("hf://datasets/org/talks@main/short/train-*.jsonl", ["short/train-0.jsonl", "short/train-1.jsonl"]),
        ("hf://datasets/org/talks/long/x.jsonl", ["long/x.jsonl"]),
        ("hf://datasets/org/talks/**/*.jsonl", ["long/x.jsonl", "short/t.jsonl", "short/train-0.jsonl", "short/train-1.jsonl"]),
    ],
)
def test_a_path_in_the_repository_is_a_file_a_folder_or_a_pattern(hub, brought, address, files):
    hub.add(REPO, FILES)
    assert list(brought(address)[0].rows) == files


@pytest.mark.parametrize(
    ("files", "address", "code", "said"),
    [
        (FILES, "hf://datasets/org/talks:shrt", "TS-DATA-091", "short"),
        (FILES, "hf://datasets/org/talks:short/tst", "TS-DATA-091", "test"),
        (FILES, "hf://datasets/org/talks/shrt/t.jsonl", "TS-DATA-091", "short/t.jsonl"),
        ({"a/1.jsonl": rows("x"), "b/1.jsonl": rows("y")}, "hf://datasets/org/talks", "TS-DATA-091", "hf://datasets/org/talks:a"),
        ({"test-0.jsonl": rows("x"), "dev-0.jsonl": rows("y")}, "hf://datasets/org/talks", "TS-DATA-091", "validation"),
        ({"talks.py": b"?"}, "hf://datasets/org/talks", "TS-DATA-091", "@refs/convert/parquet"),
        (FILES, "hf://datasets/org/nothing", "TS-MODEL-001", "hf://datasets/ORG/NAME"),
        (FILES, "hf://datasets/org/talks@v9", "TS-MODEL-001", "main"),
        (FILES, "hf://datasets/org:a:b", "TS-MODEL-003", "hf://datasets/OWNER/NAME"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(hub, brought, files, address, code, said):
    hub.add(REPO, files)
    with pytest.raises(UserError) as caught:
        brought(address)
    assert caught.value.code == code
    assert said in f"{caught.value.what} {caught.value.why} {caught.value.fix}"


def test_a_hub_that_can_t_be_reached_says_what_to_fetch_and_where_to_put_it(hub, brought, monkeypatch, tmp_path):
    monkeypatch.setenv("TUNESMITH_OFFLINE", "1")
    with pytest.raises(TunesmithError) as caught:
        brought("hf://datasets/org/talks@v1:short")
    assert caught.value.code == "TS-MODEL-002"
    assert "hf download --repo-type dataset org/talks --revision v1" in caught.value.fix
    assert str(tmp_path / "hf-home/hub/datasets--org--talks") in caught.value.fix


def test_the_revision_is_the_commit_and_a_branch_that_moves_is_told(hub, local_step):
    commit = hub.add(REPO, {"train.jsonl": rows("a")})
    step = local_step()
    assert HuggingFaceDatasets().find("hf://datasets/org/talks", step.work, step).revision == commit
    later = hub.add(REPO, {"train.jsonl": rows("b")})
    assert HuggingFaceDatasets().find("hf://datasets/org/talks", step.work, step).revision == later
    assert "has moved" in str(step.reports.logs[-1])
    pinned = HuggingFaceDatasets().find(f"hf://datasets/org/talks@{commit}", step.work, step)
    assert pinned.fetch["files"]["train.jsonl"]["size"] == len(rows("a"))
    assert hashlib.sha1(b"blob %d\0" % len(rows("a")) + rows("a")).hexdigest() == pinned.fetch["files"]["train.jsonl"]["digest"]
