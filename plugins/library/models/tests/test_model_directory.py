"""What is shared by plugins that rewrite checkpoints."""

import json

from tunesmith_models.model_directory import copy_beside, older_view, weights_size


def checkpoint(folder, config, tokenizer):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def view(tmp_path, config, tokenizer):
    source = checkpoint(tmp_path / "new", config, tokenizer)
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    folder = older_view(source, tmp_path / "old")
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before, "the source stays as it was"
    return folder, *(json.loads((folder / name).read_text()) for name in ("config.json", "tokenizer_config.json"))


def test_an_older_library_finds_its_own_words(tmp_path):
    rope = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0}
    folder, config, tokenizer = view(tmp_path, {"rope_parameters": rope, "dtype": "bfloat16"}, {"tokenizer_class": "TokenizersBackend"})
    assert (config["rope_theta"], config["torch_dtype"]) == (5e5, "bfloat16")
    assert config["rope_scaling"] == {"rope_type": "llama3", "factor": 8.0}
    assert tokenizer == {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": "{{ messages }}"}
    assert (folder / "model.safetensors").is_symlink()


def test_what_is_said_in_older_words_already_is_left(tmp_path):
    said = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e5}, "rope_theta": 1e5, "torch_dtype": "float16"}
    _, config, tokenizer = view(tmp_path, said, {"tokenizer_class": "LlamaTokenizer"})
    assert config == said
    assert tokenizer["tokenizer_class"] == "LlamaTokenizer"


def test_a_view_is_made_again_after_a_crash(tmp_path):
    view(tmp_path, {"dtype": "float16"}, {})
    assert (older_view(tmp_path / "new", tmp_path / "old") / "model.safetensors").read_bytes() == b"weights"


def test_the_originals_replace_what_a_library_wrote(tmp_path):
    source = checkpoint(tmp_path / "new", {"hidden_size": 4}, {})
    output = tmp_path / "output"
    output.mkdir()
    (output / "tokenizer.json").write_text("rewritten")
    copy_beside(source, output)
    assert (output / "tokenizer.json").read_text() == "{}"
    assert {path.name for path in output.iterdir()} == {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}
    assert (weights_size(source), weights_size(output)) == (7, 0)
