"""The folder: the file as it was, and a Modelfile that says what the model's files say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chat_templates import GO, MISTRAL, SMOLLM2
from modelfile_grammar import read

from tunesmith.contracts import Artifact, EstimateRequest, UserError
from tunesmith.contracts.settings import fill, schema_of
from tunesmith_ollama.estimate import estimate
from tunesmith_ollama.exporter import OllamaExporter
from tunesmith_ollama.settings import OllamaSettings


@pytest.fixture
def model(tmp_path: Path):
    """``model(template)``: a directory with a GGUF file of one tensor."""
    gguf = pytest.importorskip("gguf", reason="the runtime of this plugin is not installed")
    import numpy

    def make(template: str = SMOLLM2, **beside: dict) -> Path:
        folder = tmp_path / "source"
        folder.mkdir()
        writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama")
        writer.add_context_length(2048)
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(["<s>", "</s>", "a"])
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(1)
        if template:
            writer.add_chat_template(template)
        writer.add_tensor("token_embd.weight", numpy.ones((3, 32), numpy.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        for name, said in beside.items():
            (folder / f"{name}.json").write_text(json.dumps(said))
        return folder

    return make


@pytest.fixture
def export(local_step):
    def run(folder: Path, **settings):
        step = local_step()
        OllamaExporter(OllamaSettings(**settings)).export(Artifact("model/gguf", folder), step.output, step)
        return step.output, read((step.output / "Modelfile").read_text("utf-8"))

    return run


def test_the_modelfile_has_the_models_own_template_its_stop_and_what_it_samples_with(model, export):
    folder = model(generation_config={"do_sample": True, "temperature": 0.6, "top_k": 20})
    output, said = export(folder, top_p=0.9, num_ctx=1024)
    assert said == [
        ("from", "./model.gguf"), ("template", GO["SMOLLM2"]), ("stop", "<|im_end|>"), ("temperature", "0.6"), ("top_p", "0.9"),
        ("top_k", "20"), ("num_ctx", "1024"),
    ]  # fmt: skip
    assert (output / "model.gguf").read_bytes() == (folder / "tiny.gguf").read_bytes()


def test_what_the_user_says_counts_before_what_the_model_says(model, export):
    folder = model(generation_config={"do_sample": True, "temperature": 0.6})
    _, said = export(folder, template="{{ .Prompt }}", system="Be brief.", stop=["\n", '"'], temperature=0.0)
    assert said == [
        ("from", "./model.gguf"),
        ("template", "{{ .Prompt }}"),
        ("system", "Be brief."),
        ("stop", "\n"),
        ("stop", '"'),
        ("temperature", "0.0"),
    ]


def test_the_template_beside_the_file_is_the_models(model, export):
    said = dict(export(model("", tokenizer_config={"chat_template": SMOLLM2}))[1])
    assert said["template"] == GO["SMOLLM2"]


def test_a_model_without_a_template_is_given_none(model, export):
    assert dict(export(model(""))[1]).keys() == {"from"}


@pytest.mark.parametrize(
    ("template", "settings", "code"),
    [
        ("{{ strftime_now('%d') }}", {}, "TS-EXPORT-001"),
        (MISTRAL, {"system": "Be brief."}, "TS-EXPORT-002"),
        (SMOLLM2, {"num_ctx": 4096}, "TS-EXPORT-002"),
    ],
)  # fmt: skip
def test_what_would_be_another_model_is_refused_before_anything_is_written(model, local_step, template: str, settings: dict, code: str):
    step = local_step()
    with pytest.raises(UserError, match=code):
        OllamaExporter(OllamaSettings(**settings)).export(Artifact("model/gguf", model(template)), step.output, step)
    assert not list(step.output.iterdir())


def test_a_template_that_is_refused_may_be_left_out(model, export):
    assert "template" not in dict(export(model("{{ strftime_now('%d') }}"), template="none")[1])


def test_a_model_in_parts_is_refused(tmp_path: Path, local_step):
    for part in (1, 2):
        (tmp_path / f"big-{part:05}-of-00002.gguf").write_bytes(b"GGUF")
    step = local_step()
    with pytest.raises(UserError, match="TS-MODEL-010"):
        OllamaExporter(OllamaSettings()).export(Artifact("model/gguf", tmp_path), step.output, step)


def test_a_context_beyond_the_models_is_refused_in_the_plan():
    def planned(**settings):
        return estimate(EstimateRequest({"max_position_embeddings": 2048}, 10**8, fill(schema_of(OllamaSettings), settings)))

    assert planned(num_ctx=2048).disk == 10**8
    with pytest.raises(UserError, match="TS-EXPORT-002"):
        planned(num_ctx=2049)
