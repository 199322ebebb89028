"""A folder for the hub: the files as they were, and a card that says what the records say, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, EstimateRequest
from tunesmith_hub_folder.estimate import estimate
from tunesmith_hub_folder.exporter import HubFolder
from tunesmith_hub_folder.lineage import lineage
from tunesmith_hub_folder.settings import HubFolderSettings

hub = pytest.importorskip("huggingface_hub", reason="the runtime of this plugin is not installed")
LORA = {
    "kind": "adapter",
    "name": "lora",
    "distribution": "tunesmith-lora",
    "version": "0.1.0",
    "settings": {"r": 4, "target_modules": ["all"]},
}
AUDIT = {"kind": "artifact_check", "name": "audit", "distribution": "tunesmith-audit", "version": "0.1.0", "settings": {"compare": True}}


class Store:
    """Artifacts as the kernel lays them (docs/architecture.md): ``ab/abcd.../artifact.json`` beside ``files``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, number: str, format: str, producer: dict[str, Any], files: dict[str, str], **record: Any) -> Artifact:
        digest = f"sha256:{number * 64}"
        folder = self.root / (2 * number) / (64 * number)
        (folder / "files").mkdir(parents=True)
        for name, text in files.items():
            (folder / "files" / name).write_text(text)
        said = {"digest": digest, "format": format, "producer": producer, **record}
        (folder / "artifact.json").write_text(json.dumps(said))
        return Artifact(format, folder / "files", digest, producer=producer, meta=record.get("meta", {}))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def download(store: Store, uri: str, files: dict[str, str] | None = None) -> Artifact:
    by = {"kind": "model_loader", "name": "huggingface", "distribution": "tunesmith-huggingface", "version": "0.1.0", "settings": {}}
    return store.add("a", "model/hf", {**by, "verb": "download", "slots": {"model_loader": by}, "step": {"uri": uri}},
                     {"config.json": "{}", **(files or {})}, meta={"uri": uri, "revision": "abc123"})  # fmt: skip


def trained(store: Store, base: Artifact) -> Artifact:
    data = store.add(
        "b", "dataset/chat", {"verb": "prepare"}, {"rows.jsonl": "private"}, meta={"rows": 8}, inputs={"file": "sha256:" + 64 * "9"}
    )
    step = {"learning_rate": 0.0002, "max_steps": 2, "resume": "", "template": "/home/me/template.jinja"}
    producer = {**LORA, "verb": "train", "seed": 7, "slots": {"adapter": LORA, "check": AUDIT}, "step": step}
    files = {"adapter_config.json": json.dumps({"peft_type": "LORA", "base_model_name_or_path": ""}), "samples.jsonl": "private"}
    return store.add("c", "adapter/peft", producer, files, inputs={"data": data.digest, "model": base.digest}, refs={"base": base.digest})


def scored(store: Store, number: str, model: str) -> Artifact:
    values = {"exact_match": 0.75, "exact_match/low": 0.5, "exact_match/high": 0.9, "scored": 20.0}
    return store.add(number, "report/metrics", {"name": "generation", "verb": "evaluate"}, {"metrics.json": json.dumps(values)},
                     inputs={"model": model}, meta={"samples": 20})  # fmt: skip


@pytest.fixture
def export(local_step):
    def run(source: Artifact, *reports: Artifact, **settings: Any) -> Path:
        step = local_step()
        inputs = {"model": source, **{"reports" if at == 0 else f"reports.{at + 1}": one for at, one in enumerate(reports)}}
        step.inputs = inputs
        HubFolder(HubFolderSettings(**settings)).export(source, step.output, step)
        return step.output

    return run


def test_the_card_tells_base_data_settings_and_metrics_and_the_hubs_library_reads_it(store: Store, export):
    base = download(store, "hf://org/base@abc123", {"README.md": "---\nlicense: apache-2.0\n---\nlicense: mit\n"})
    adapter = trained(store, base)
    output = export(adapter, scored(store, "d", adapter.digest), scored(store, "e", base.digest), model_name="adder", language=["en"])
    card = hub.ModelCard.load(output / "README.md")
    assert (card.data.base_model, card.data.license, card.data.library_name, card.data.language) == (
        "org/base",
        "apache-2.0",
        "peft",
        ["en"],
    )
    assert card.data.to_dict()["base_model_relation"] == "adapter"
    assert [(one.metric_type, one.metric_value) for one in card.data.eval_results] == [("exact_match", 0.75)]
    for told in (
        "# adder", "| revision | abc123 |", "- 8 rows, `dataset/chat`, SHA-256 `bbbb", "`learning_rate=0.0002`", "seed 7",
        "lora (tunesmith-lora 0.1.0: `r=4`, `target_modules=['all']`)", "| generation | exact_match | 0.75 | 0.5 to 0.9 | 20 | this |",
        "| generation | exact_match | 0.75 | 0.5 to 0.9 | 20 | model/hf `aaaaaaaaaaaa` |",
    ):  # fmt: skip
        assert told in card.text, told
    assert "audit" not in card.text
    assert "/home/me" not in card.text


def test_an_adapter_keeps_pefts_layout_and_names_its_base_and_rows_stay_behind(store: Store, export):
    output = export(trained(store, download(store, "hf://org/base@abc123")))
    assert sorted(path.name for path in output.iterdir()) == ["README.md", "adapter_config.json"]
    assert json.loads((output / "adapter_config.json").read_text()) == {"peft_type": "LORA", "base_model_name_or_path": "org/base"}


def test_what_is_unknown_is_said_and_what_is_private_is_not(store: Store, export):
    adapter = trained(store, download(store, "file:///home/me/model"))
    text = (export(adapter) / "README.md").read_text()
    for what in ("base model", "licence", "chat template (SHA-256, with special tokens)"):
        assert f"| {what} | unknown |" in text
    assert "no evaluation was given" in text
    assert "/home/me" not in text
    assert hub.ModelCard(text).data.base_model is None
    told = export(adapter, base_model="org/named", license="mit", summary="Adds.") / "README.md"
    assert (hub.ModelCard.load(told).data.base_model, hub.ModelCard.load(told).data.license) == ("org/named", "mit")
    assert "Adds." in told.read_text()


def test_a_model_of_a_store_that_tells_nothing_has_a_card_all_the_same(tmp_path: Path, export):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "more.txt").write_text("x")
    output = export(Artifact("model/hf", tmp_path, "sha256:" + 64 * "1", producer={"kind": "exporter", "name": "tilt"}))
    text = (output / "README.md").read_text()
    assert "| architecture | LlamaForCausalLM |" in text
    assert "| chat template (SHA-256, with special tokens) | none |" in text
    assert (output / "sub" / "more.txt").read_text() == "x"


def test_a_record_of_something_else_is_not_believed(store: Store):
    base = download(store, "hf://org/base")
    assert [one.digest for one in lineage(replace(base, digest="sha256:other"))] == ["sha256:other"]
    adapter = trained(store, base)
    assert [one.verb for one in lineage(adapter)] == ["download", "prepare", "train"]


def test_its_disk_is_the_models():
    assert estimate(EstimateRequest({}, 1000, {})).disk == 1000
