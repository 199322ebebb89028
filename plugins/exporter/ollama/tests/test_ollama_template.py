"""A chat template in Go's form: the same prompts as the model's own, or none."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import chat_templates
import pytest
from modelfile_grammar import read

from tunesmith.contracts import UserError
from tunesmith_ollama.chat_template import turns_of
from tunesmith_ollama.gguf_metadata import Speech
from tunesmith_ollama.go_template import go_template, literal
from tunesmith_ollama.modelfile import modelfile

HARD = '{x} {{ y }} """ a\u00a0b\r\n\\ "'
TALK = [("system", "Be\nbrief."), ("user", 'A "b" {{ c'), ("assistant", "yes"), ("user", "and?")]
PROGRAM = """
package main
import ("encoding/json"; "os"; "text/template")
type M struct{ Role, Content string }
func main() {
    var said struct{ Template string; Messages []*M }
    if err := json.NewDecoder(os.Stdin).Decode(&said); err != nil { panic(err) }
    form := template.Must(template.New("").Parse(said.Template))
    if err := form.Execute(os.Stdout, map[string]any{"Messages": said.Messages}); err != nil { panic(err) }
}
"""


def turns(template: str):
    return turns_of(Speech(template, "<s>", "</s>", adds_begin=True))


@pytest.mark.parametrize("name", sorted(chat_templates.GO))
def test_the_template_in_go_s_form_is_the_one_that_go_was_seen_to_render_alike(name: str):
    found, _ = turns(getattr(chat_templates, name))
    assert go_template(found) == chat_templates.GO[name]


@pytest.mark.parametrize(("template", "reason"), chat_templates.REFUSED.items(), ids=range(len(chat_templates.REFUSED)))
def test_a_template_that_does_more_than_put_texts_around_messages_is_refused(template: str, reason: str):
    with pytest.raises(UserError, match="TS-EXPORT-001") as caught:
        turns(template)
    assert reason.lower() in caught.value.why.lower()


def test_what_ollama_does_otherwise_is_told():
    assert turns(chat_templates.SMOLLM2)[1] == [
        "The runtime puts its first token (BOS) before every text, which the model's own template does not."
    ]
    assert ["takes away spaces" in note for note in turns(chat_templates.LLAMA3)[1]] == [True]
    assert ["no system messages" in note for note in turns(chat_templates.MISTRAL)[1]] == [True]
    said = "{{ m.content.split('</think>')[-1] if m.role == 'assistant' else m.content }}"
    assert turns(f"{{{{ bos_token }}}}{{% for m in messages %}}<{{{{ m.role }}}}>{said}</s>{{% endfor %}}")[0].rewrites_thoughts


def test_the_token_that_the_runtime_does_not_put_stays_in_the_template():
    bare = turns_of(Speech(chat_templates.MISTRAL, "<s>", "</s>"))[0]
    assert bare.head == "<s>"


@pytest.mark.parametrize("text", [HARD, "{", "a{{", '""""', "\x07\u2028", ""])
def test_any_text_stands_in_a_modelfile_and_is_read_again(text: str):
    written = "{{ .Content }}" + literal(text)
    assert read(modelfile([("FROM", "./m"), ("TEMPLATE", written)]))[1] == ("template", written)


def test_ollama_s_grammar_gives_back_what_was_written():
    wanted = [("FROM", "./model.gguf"), ("SYSTEM", 'Say "yes"\n or no. '), ("PARAMETER stop", 'a "b"'), ("PARAMETER stop", "<|im_end|>"),
              ("PARAMETER temperature", "1e-05")]  # fmt: skip
    assert read(modelfile(wanted)) == [(name.split()[-1] if " " in name else name.lower(), text) for name, text in wanted]


@pytest.mark.parametrize("text", ['three """ quotes', "a bell \x07"])
def test_what_can_t_be_written_is_refused(text: str):
    with pytest.raises(UserError, match="TS-EXPORT-002"):
        modelfile([("FROM", "./m"), ("SYSTEM", text)])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_go_renders_what_jinja_renders(tmp_path: Path):
    (tmp_path / "main.go").write_text(PROGRAM)
    subprocess.run(["go", "build", "-o", "render", "main.go"], cwd=tmp_path, check=True)
    for name in sorted(chat_templates.GO):
        found, _ = turns(getattr(chat_templates, name))
        messages = TALK if found.system else TALK[1:]
        said = {"Template": go_template(found), "Messages": [{"Role": role, "Content": text} for role, text in messages]}
        done = subprocess.run([tmp_path / "render"], input=json.dumps(said).encode(), stdout=subprocess.PIPE, check=True)
        assert done.stdout.decode() == found.render(messages), name
    said = {"Template": literal(HARD), "Messages": []}
    assert (
        subprocess.run([tmp_path / "render"], input=json.dumps(said).encode(), stdout=subprocess.PIPE, check=True).stdout.decode() == HARD
    )
