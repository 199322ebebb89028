"""The tokenizer without transformers writes and cuts what transformers' does, or is not used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tunesmith.contracts import UserError
from tunesmith_data.api import message
from tunesmith_torch.data.chat_template.template import ChatTemplate
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.data.tokenizer.tokenizer_json import plain_tokenizer

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"]
PLAIN = (
    "{% for message in messages %}\n{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
EVERYTHING = """{%- if tools %}
    {{- bos_token + 'tools' }}
    {%- for tool in tools %}
        {{- "\\n" }}{{- tool | tojson }}
    {%- endfor %}
{%- endif %}
{%- set seen = namespace(last=-1) %}
{%- for message in messages %}
    {%- if message.role == 'nobody' %}{{- raise_exception('who?') }}{%- endif %}
    {%- if message.role == 'system' %}{%- continue %}{%- endif %}
    {%- set seen.last = loop.index0 %}
    {{- '<|im_start|>' + message.role }}
    {%- if message.reasoning_content is defined %}{{- message.reasoning_content }}{%- endif %}
    {%- for call in message.tool_calls or [] %}{{- call.function.arguments | tojson(indent=2) }}{%- endfor %}
    {{- '\\n' ~ message.content ~ eos_token }}
{%- endfor %}
{{- seen.last }}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""
CONVERSATION = [
    {"role": "system", "content": "Be <brief> & kind."},
    {"role": "user", "content": "  ¿Qué tal? 你好 <|im_end|> \n\n"},
    {
        "role": "assistant", "content": "Fine.", "reasoning": "hm",
        "tool_calls": [{"type": "function", "function": {"name": "look", "arguments": {"at": "ü", "times": [1, 2]}}}],
    },
]  # fmt: skip
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def _saved(directory, template: str):
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    backend.train_from_iterator(
        ["the quick brown fox jumps over the lazy dog", template], trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL)
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=SPECIAL[1], eos_token=SPECIAL[2], unk_token=SPECIAL[0], pad_token=SPECIAL[2],
        chat_template=template,
    )  # fmt: skip
    tokenizer.save_pretrained(directory)
    return directory


@pytest.mark.parametrize("template", [PLAIN, EVERYTHING])
def test_texts_and_tokens_are_those_of_transformers(tmp_path, template):
    theirs, ours = AutoTokenizer.from_pretrained(_saved(tmp_path, template)), plain_tokenizer(tmp_path)
    for tools in (None, TOOLS):
        for prompt in (False, True):
            expected = theirs.apply_chat_template(CONVERSATION, tools=tools, tokenize=False, add_generation_prompt=prompt)
            text = ChatTemplate.of(ours).render(CONVERSATION, tools or (), prompt=prompt).text
            assert text == expected
            assert ours.backend_tokenizer.encode(text, add_special_tokens=False).ids == theirs(text, add_special_tokens=False)["input_ids"]
    assert set(ours.all_special_tokens) == set(theirs.all_special_tokens)
    assert {at: str(token) for at, token in ours.added_tokens_decoder.items()} == {
        at: str(token) for at, token in theirs.added_tokens_decoder.items()
    }
    assert len(ours) == len(theirs)


@pytest.mark.parametrize(
    "changes", [{"tokenizer_class": "GemmaTokenizer"}, {"pad_token": "<unheard of>"}, {"chat_template": None}, {"auto_map": {"x": "y"}}]
)
def test_a_tokenizer_that_does_more_is_left_to_transformers(tmp_path, changes):
    _saved(tmp_path, PLAIN)
    (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
    path = tmp_path / "tokenizer_config.json"
    config = {**json.loads(path.read_text()), "chat_template": PLAIN}
    path.write_text(json.dumps(config))
    assert plain_tokenizer(tmp_path) is not None
    path.write_text(json.dumps({**config, **changes}))
    assert plain_tokenizer(tmp_path) is None


def test_a_dense_model_and_a_plain_tokenizer_need_no_transformers(tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    _saved(tmp_path, PLAIN)
    small = LlamaConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=400)
    LlamaForCausalLM(small).save_pretrained(tmp_path)
    code = """
import sys
from pathlib import Path
from tunesmith_data.api import message
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.training import train
from tunesmith_torch.model.dense.loader import load_dense
from tunesmith_torch.data.tokenizer.chat_encoder import chat_encoder
from tunesmith_torch.model.log_probs import label_log_probs
from tunesmith_torch.data.packing import pack
chat, model = chat_encoder(Path(sys.argv[1])), load_dense(Path(sys.argv[1]))
Lora(LoraSettings(r=2)).attach(model, seed=0)
label_log_probs(model, pack([chat.encode([message("user", "a"), message("assistant", "b")])])).sum().backward()
assert "transformers" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, timeout=120)


def test_a_tokenizer_inside_a_gguf_is_read(tiny, tmp_path):
    """Of a directory that holds nothing else; the same tokens as by the files that it was made of."""
    pytest.importorskip("gguf")
    from tunesmith_sdk.conformance.materials.tiny_gguf import write

    row = [message("user", "Where do artifacts live?"), message("assistant", "In the store.")]
    assert chat_encoder(write(tiny, tmp_path / "model.gguf").parent).encode(row).tokens == chat_encoder(tiny).encode(row).tokens


def test_without_what_reads_a_gguf_it_is_said_what_to_install(tmp_path, monkeypatch):
    from tunesmith_torch.data.tokenizer import loader

    def absent(*_, **__):
        raise ImportError("no gguf here")

    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(loader.library().AutoTokenizer, "from_pretrained", absent)
    with pytest.raises(UserError, match="without the package") as caught:
        chat_encoder(tmp_path)
    assert caught.value.code == "TS-TRAIN-006"
    assert "pip install" in caught.value.fix
