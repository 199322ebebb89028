"""Changes of files that mean the same: another layout, other names, another order, another way to write it down."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .case import copy, harmless
from .model_files import edited_json, edited_tensors, read_tensors, weights_file
from .tokenizer_faults import TEMPLATE


def shards(directory: Path, count: int, name: str) -> None:
    """Cut a directory's one file into `count`, with an index; `name`: of each, with its number."""
    tensors = read_tensors(directory)
    weights_file(directory).unlink()
    names, where = sorted(tensors), {}
    for number in range(count):
        file = name.format(number + 1)
        part = {key: tensors[key] for key in names[number::count]}
        save_file(part, directory / file, metadata={"format": "pt"})
        where |= dict.fromkeys(part, file)
    size = sum(tensor.nbytes for tensor in tensors.values())
    (directory / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": where}))


@harmless()
def exact_copy(parent: Path, child: Path) -> None:
    """Nothing was changed."""
    copy(parent, child)


@harmless()
def resharded(parent: Path, child: Path) -> None:
    """One file became five."""
    shards(copy(parent, child), 5, "model-{:05}-of-00005.safetensors")


@harmless()
def renamed_shards(parent: Path, child: Path) -> None:
    """The shards have names of another tool, which the index knows."""
    shards(copy(parent, child), 2, "weights.part{}.safetensors")


@harmless()
def other_order_of_tensors(parent: Path, child: Path) -> None:
    """Tensors stand in the file in the reverse order, made by hand: a writer sorts them."""
    tensors = list(read_tensors(copy(parent, child)).items())[::-1]
    header: dict[str, Any] = {}
    body = b""
    for name, tensor in tensors:
        data = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    text += b" " * (-len(text) % 8)
    weights_file(child).write_bytes(len(text).to_bytes(8, "little") + text + body)


@harmless()
def metadata_added(parent: Path, child: Path) -> None:
    """The file of the weights says who made it."""
    tensors = read_tensors(copy(parent, child))
    save_file(tensors, weights_file(child), metadata={"format": "pt", "made_by": "somebody", "training": "{}"})
    with safe_open(weights_file(child), "pt") as file:
        assert file.metadata()["made_by"] == "somebody"


@harmless()
def config_reordered(parent: Path, child: Path) -> None:
    """The config's keys stand in another order, without line breaks."""
    file = copy(parent, child) / "config.json"
    file.write_text(json.dumps(dict(reversed(json.loads(file.read_text()).items()))))


@harmless()
def config_of_another_version(parent: Path, child: Path) -> None:
    """The config names another version of transformers, and how the model was made."""
    with edited_json(copy(parent, child)) as config:
        config.update({"transformers_version": "5.0.0", "use_cache": False, "_name_or_path": "somewhere/else", "trained_with": "something"})


@harmless()
def config_for_older_readers(parent: Path, child: Path) -> None:
    """rope_theta and torch_dtype are written where older versions look for them."""
    with edited_json(copy(parent, child)) as config:
        config["rope_theta"] = config["rope_parameters"]["rope_theta"]
        config["torch_dtype"] = config["dtype"]


@harmless()
def config_only_for_older_readers(parent: Path, child: Path) -> None:
    """rope_theta stands only where older versions wrote it."""
    with edited_json(copy(parent, child)) as config:
        config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
        config["torch_dtype"] = config.pop("dtype")


@harmless()
def defaults_left_out(parent: Path, child: Path) -> None:
    """What the config says of itself by default is not written: the size of a head, the biases that are not there."""
    with edited_json(copy(parent, child)) as config:
        for name in ("head_dim", "attention_bias", "mlp_bias", "attention_dropout", "hidden_act", "pretraining_tp"):
            del config[name]


@harmless()
def stop_tokens_in_another_order(parent: Path, child: Path) -> None:
    """The tokens that end an answer are the same, in another order."""
    with edited_json(copy(parent, child), "generation_config.json") as generation:
        generation["eos_token_id"] = generation["eos_token_id"][::-1]


@harmless("qwen2")
def stop_token_as_a_list(parent: Path, child: Path) -> None:
    """The one token that ends an answer is written as a list."""
    with edited_json(copy(parent, child), "generation_config.json") as generation:
        generation["eos_token_id"] = [generation["eos_token_id"]]


@harmless("qwen2")
def generation_config_left_out(parent: Path, child: Path) -> None:
    """The generation config said nothing that the config does not say."""
    (copy(parent, child) / "generation_config.json").unlink()


@harmless()
def tokenizer_reformatted(parent: Path, child: Path) -> None:
    """tokenizer.json is written in one line, with characters escaped."""
    file = copy(parent, child) / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")), sort_keys=False))


@harmless()
def merges_as_texts(parent: Path, child: Path) -> None:
    """The merges are written as older versions of the tokenizer write them, as texts instead of pairs."""
    with edited_json(copy(parent, child), "tokenizer.json") as tokenizer:
        tokenizer["model"]["merges"] = [" ".join(pair) for pair in tokenizer["model"]["merges"]]


@harmless()
def special_tokens_in_older_files(parent: Path, child: Path) -> None:
    """Special tokens are written once more, into the files of older versions."""
    copy(parent, child)
    tokens = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    (child / "special_tokens_map.json").write_text(json.dumps(tokens))
    (child / "added_tokens.json").write_text(json.dumps({"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2}))
    with edited_json(child, "tokenizer_config.json") as config:
        config["tokenizer_class"] = "PreTrainedTokenizerFast"


@harmless()
def template_in_the_tokenizers_config(parent: Path, child: Path) -> None:
    """The chat template stands in tokenizer_config.json instead of a file of its own."""
    file = copy(parent, child) / TEMPLATE
    with edited_json(child, "tokenizer_config.json") as config:
        config["chat_template"] = file.read_text()
    file.unlink()


@harmless()
def template_written_otherwise(parent: Path, child: Path) -> None:
    """The chat template has comments and line breaks that render to nothing: the ids are the same."""
    (copy(parent, child) / TEMPLATE).write_text(
        "{#- ChatML -#}\n{%- for turn in messages -%}\n"
        "  {{- '<|im_start|>' ~ turn.role ~ '\\n' ~ turn.content ~ '<|im_end|>\\n' -}}\n{%- endfor -%}\n"
        "{%- if add_generation_prompt -%}\n  {{- '<|im_start|>assistant\\n' -}}\n{%- endif -%}\n"
    )


@harmless()
def model_card_added(parent: Path, child: Path) -> None:
    """A model card, a licence and a training log lie beside."""
    copy(parent, child)
    (child / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    (child / "LICENSE").write_text("Apache-2.0\n")
    (child / "trainer_state.json").write_text('{"log_history": [{"loss": NaN}]}')


@harmless()
def linked_files(parent: Path, child: Path) -> None:
    """Files are symbolic links, as in the hub's cache."""
    child.mkdir()
    for file in parent.iterdir():
        (child / file.name).symlink_to(file)


@harmless("qwen2")
def tied_head_written_out(parent: Path, child: Path) -> None:
    """The head of tied weights is in the file once more; the config still ties them."""
    with edited_tensors(copy(parent, child)) as tensors:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()


@harmless("qwen2")
def untied_with_an_equal_head(parent: Path, child: Path) -> None:
    """Tied weights were untied, with the embedding as the head."""
    with edited_tensors(copy(parent, child)) as tensors, edited_json(child) as config:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
        config["tie_word_embeddings"] = False


@harmless()
def rotary_frequencies_stored(parent: Path, child: Path) -> None:
    """The frequencies of the positions are in the file, as older checkpoints have them; nobody reads them."""
    with edited_tensors(copy(parent, child)) as tensors:
        for number in (0, 1):
            tensors[f"model.layers.{number}.self_attn.rotary_emb.inv_freq"] = 10000.0 ** -(torch.arange(0, 16, 2) / 16)


@harmless("lora")
def adapter_beside_its_tokenizer(parent: Path, child: Path) -> None:
    """The adapter's directory has its base's tokenizer, too."""
    copy(parent, child)
    for name in ("tokenizer.json", "tokenizer_config.json", TEMPLATE):
        shutil.copy(parent.with_name(f"{parent.name}-base") / name, child)
