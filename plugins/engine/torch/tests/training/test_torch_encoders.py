"""Encoders with a head: the model is transformers' classifier, trained, killed, merged and read anew; transformers is the oracle."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import Artifact, UserError
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_classify.settings import ClassifySettings, TextSettings
from tunesmith_classify.texts import TextClassifier
from tunesmith_classify.words import WordClassifier
from tunesmith_embed.objective import Embedding
from tunesmith_embed.settings import EmbedSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_sdk.tiny_models import tiny_encoder
from tunesmith_torch.api.scoring import embedded_sequence, load_scoring_model, text_sequence, words_sequence
from tunesmith_torch.merge import run
from tunesmith_torch.settings import MergeSettings

FAMILIES = {
    "bert": {}, "roberta": {}, "electra": {}, "modernbert": {}, "albert": {"embedding_size": 16}, "mpnet": {}, "xlm-roberta": {},
    "distilbert": {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 2},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
}  # fmt: skip
ROWS = [{"text": f"The fox number {n} is {'quick and clever' if n % 2 else 'lazy'}.", "label": "ab"[n % 2]} for n in range(12)]
WORDS = [{"tokens": ["fox", "is", "quick", str(n)], "labels": ["b", "a", "a", "b" if n % 2 else "a"]} for n in range(8)]
PAIRS = [{"anchor": f"fox {n}", "positive": f"the fox with number {n}", "negatives": []} for n in range(8)]
SETTINGS = {"num_train_epochs": 8, "learning_rate": 5e-3}


def encoder(directory, name: str, kind: str = "AutoModelForMaskedLM"):
    return tiny_encoder(directory, family=name, kind=kind, **FAMILIES[name])


def lora():
    return Lora(LoraSettings(r=4, lora_alpha=8.0))


def merged(bench, output, role, tmp_path):
    directory = tmp_path / "merged"
    directory.mkdir()
    run(WorkerStep(
        name="merge", output=directory, work=tmp_path, settings=build(MergeSettings, {"dtype": "float32"}), seed=7, inputs={
            "model": Artifact(f"adapter/peft+{role}", output, refs={"base": bench.base})
        }, providers={"adapter": lora()}, notify=lambda *told: None,
    ))  # fmt: skip
    return Artifact(f"model/hf+{role}", directory)


def classifier(labels=("a", "b")):
    return TextClassifier(TextSettings(list(labels)))


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_classifier_learns_is_transformers_own_class_with_the_same_loss(bench, tmp_path, name):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    bench.base = Artifact("model/hf", encoder(tmp_path / "base", name), digest="sha256:base")
    output, result = bench.train(SETTINGS, rows=ROWS, validation=ROWS, objective=classifier(), adapter=Full(FullSettings()))
    assert result.metrics["validation_loss"] < bench.series("loss")[0]
    assert result.metrics["validation_accuracy"] == 1.0
    theirs, tokenizer = AutoModelForSequenceClassification.from_pretrained(output).eval(), AutoTokenizer.from_pretrained(output)
    assert theirs.config.id2label == {0: "a", 1: "b"}
    with torch.no_grad():
        logits = torch.cat([theirs(torch.tensor([tokenizer(row["text"])["input_ids"]])).logits for row in ROWS])
    wanted = torch.tensor(["ab".index(row["label"]) for row in ROWS])
    assert float(torch.nn.functional.cross_entropy(logits, wanted)) == pytest.approx(result.metrics["validation_loss"], rel=1e-4)
    ours = load_scoring_model(Artifact("model/hf+classify", output))
    torch.testing.assert_close(torch.cat(ours.scores([text_sequence(ours.chat, row["text"]) for row in ROWS])), logits)
    assert ours.labels == ("a", "b")


@pytest.mark.parametrize("name", ["bert", "modernbert", "distilbert", "deberta-v2"])
def test_a_head_beside_an_adapter_is_in_the_merged_classifier(bench, tmp_path, name):
    bench.base = Artifact("model/hf", encoder(tmp_path / "base", name), digest="sha256:base")
    output, result = bench.train(SETTINGS | {"learning_rate": 1e-2}, rows=ROWS, validation=ROWS, objective=classifier(), adapter=lora())
    beside, adapted = load_file(output / "heads.safetensors"), load_file(output / "adapter_model.safetensors")
    assert any("classifier" in key for key in beside)
    assert not any("classifier" in key or "pooler" in key for key in adapted)
    ours = load_scoring_model(merged(bench, output, "classify", tmp_path))
    scores = torch.cat(ours.scores([text_sequence(ours.chat, row["text"]) for row in ROWS]))
    wanted = torch.tensor(["ab".index(row["label"]) for row in ROWS])
    assert float(torch.nn.functional.cross_entropy(scores, wanted)) == pytest.approx(result.metrics["validation_loss"], rel=1e-4)


@pytest.mark.parametrize("name", ["bert", "roberta", "modernbert"])
def test_a_tagger_reads_the_whole_text_as_transformers_class_does(bench, tmp_path, name):
    from transformers import AutoModelForTokenClassification

    bench.base = Artifact("model/hf", encoder(tmp_path / "base", name), digest="sha256:base")
    objective = WordClassifier(ClassifySettings(["a", "b"]))
    output, result = bench.train(SETTINGS, rows=WORDS, validation=WORDS, objective=objective, adapter=Full(FullSettings()))
    ours = load_scoring_model(Artifact("model/hf+classify-tokens", output))
    sequences = [words_sequence(ours.chat, row["tokens"]) for row in WORDS]
    theirs = AutoModelForTokenClassification.from_pretrained(output).eval()
    with torch.no_grad():
        logits = torch.cat([theirs(torch.tensor([one.tokens])).logits[0][list(one.places)] for one in sequences])
    torch.testing.assert_close(torch.cat(ours.scores(sequences)), logits)
    wanted = torch.tensor(["ab".index(label) for row in WORDS for label in row["labels"]])
    assert float(torch.nn.functional.cross_entropy(logits, wanted)) == pytest.approx(result.metrics["validation_loss"], rel=1e-4)


def test_a_killed_run_goes_on_to_the_same_bytes_and_a_batch_may_be_cut(bench, tmp_path):
    from tunesmith_torch.training.loop import Loop

    bench.base = Artifact("model/hf", encoder(tmp_path / "base", "bert"), digest="sha256:base")
    whole, _ = bench.train(SETTINGS, rows=ROWS, objective=classifier(), adapter=lora(), name="whole")
    losses = bench.series("loss")
    bench.notices.clear()
    bench.train(SETTINGS | {"max_tokens_per_microbatch": 30}, rows=ROWS, objective=classifier(), adapter=lora(), name="cut")
    assert bench.series("loss") == pytest.approx(losses, rel=1e-4)
    step = Loop._step

    def fails(self, number):
        if number == 17:
            raise KeyboardInterrupt
        step(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_step", fails)
        with pytest.raises(KeyboardInterrupt):
            bench.train(SETTINGS | {"save_steps": 3}, rows=ROWS, objective=classifier(), adapter=lora(), name="killed")
    killed, _ = bench.train(SETTINGS | {"save_steps": 3}, rows=ROWS, objective=classifier(), adapter=lora(), name="killed")
    for file in ("heads.safetensors", "adapter_model.safetensors"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()


def test_training_goes_on_from_an_adapter_with_its_head_and_from_a_classifier(bench, tmp_path):
    bench.base = Artifact("model/hf", encoder(tmp_path / "base", "bert"), digest="sha256:base")
    settings = SETTINGS | {"learning_rate": 1e-2}
    output, first = bench.train(settings, rows=ROWS, validation=ROWS, objective=classifier(), adapter=lora(), name="first")
    base, bench.base = bench.base, Artifact("adapter/peft+classify", output, digest="sha256:first", refs={"base": bench.base})
    bench.notices.clear()
    bench.train(settings | {"learning_rate": 1e-4}, rows=ROWS, validation=ROWS, objective=classifier(), adapter=lora(), name="second")
    assert bench.series("loss")[0] < 2 * first.metrics["validation_loss"] + 0.05
    bench.base = base
    bench.base = merged(bench, output, "classify", tmp_path)
    bench.notices.clear()
    bench.train(settings | {"learning_rate": 1e-4}, rows=ROWS, objective=classifier(), adapter=lora(), name="third")
    assert bench.series("loss")[0] < 2 * first.metrics["validation_loss"] + 0.05
    others = [{**row, "label": "c" if row["label"] == "a" else row["label"]} for row in ROWS]
    three = TextClassifier(TextSettings(["a", "b", "c"]))
    bench.train(settings, rows=others, objective=three, adapter=Full(FullSettings()), name="fourth")  # of another width: a new head


@pytest.mark.parametrize(
    ("name", "kind", "pooling"), [("bert", "AutoModel", "cls"), ("roberta", "AutoModel", "mean"), ("bert", "AutoModelForMaskedLM", "mean")]
)
def test_an_encoder_embeds_with_any_head_or_none_and_is_read_as_it_was_trained(bench, tmp_path, name, kind, pooling):
    from transformers import AutoModel

    bench.base = Artifact("model/hf", encoder(tmp_path / "base", name, kind), digest="sha256:base")
    output, _ = bench.train(SETTINGS, rows=PAIRS, objective=Embedding(EmbedSettings(pooling=pooling)), adapter=Full(FullSettings()))
    ours = load_scoring_model(Artifact("model/hf+embed", output))
    sequences = [embedded_sequence(ours.chat, row["positive"], pooling) for row in PAIRS]
    theirs = AutoModel.from_pretrained(output).eval()
    with torch.no_grad():
        states = [theirs(torch.tensor([one.tokens])).last_hidden_state[0] for one in sequences]
    wanted = torch.stack([one[0] if pooling == "cls" else one.mean(0) for one in states])
    torch.testing.assert_close(ours.embeddings(sequences), torch.nn.functional.normalize(wanted, dim=-1))


def test_what_an_encoder_was_pre_trained_with_beside_itself_is_no_fault_of_its_files_and_a_missing_layer_is(bench, tmp_path):
    base = encoder(tmp_path / "base", "bert")
    tensors = load_file(base / "model.safetensors")
    pooler = {"bert.pooler.dense.weight": torch.eye(32), "bert.pooler.dense.bias": torch.zeros(32)}
    save_file(tensors | pooler | {"cls.seq_relationship.weight": torch.ones(2, 32)}, base / "model.safetensors", metadata={"format": "pt"})
    bench.base = Artifact("model/hf", base, digest="sha256:base")
    output, _ = bench.train({"max_steps": 1, "learning_rate": 1e-30}, rows=ROWS, objective=classifier(), adapter=Full(FullSettings()))
    torch.testing.assert_close(load_file(output / "model.safetensors")["bert.pooler.dense.weight"], torch.eye(32))  # the pre-trained one
    bench.train({"max_steps": 1}, rows=PAIRS, objective=Embedding(EmbedSettings(pooling="mean")), adapter=lora(), name="embed")
    save_file({key: value for key, value in tensors.items() if "layer.1" not in key}, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="TS-MODEL-022"):
        bench.train({"max_steps": 1}, rows=ROWS, objective=classifier(), name="broken")


def test_rows_are_cut_to_the_positions_that_an_encoder_has(bench, tmp_path):
    bench.base = Artifact("model/hf", encoder(tmp_path / "base", "roberta"), digest="sha256:base")
    rows = [{**row, "text": row["text"] * 20} for row in ROWS]
    bench.train({"max_steps": 2}, rows=rows, objective=classifier())
    decided = [told["what"] for method, told in bench.notices if method == "$/decision"]
    config = json.loads((bench.base.path / "config.json").read_text())
    assert f"at most {96 - config['pad_token_id'] - 1} tokens of a row" in decided
