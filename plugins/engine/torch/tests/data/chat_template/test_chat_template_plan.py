"""What a plan says of rows and a chat template is what training then does, over the families' templates and without a vocabulary."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_data.api import message
from tunesmith_pairs import PairObjective
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
from tunesmith_torch.data.tokenizer.template_tokenizer import TextTokenizer
from tunesmith_torch.estimate import label_preview
from tunesmith_torch.estimate.label_preview import labels

_SPEC = importlib.util.spec_from_file_location("families", Path(__file__).with_name("families.py"))
families = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(families)
ROW = {"messages": [message("user", "Hi"), message("assistant", "Hello"), message("user", "And?"), message("assistant", "Nothing.")]}


def told(directory: Path | None, *rows, provider=lambda slot: SupervisedTuning()):
    return labels(EstimateRequest({}, directory=directory, rows=rows, provider=provider))


@pytest.fixture
def model(tmp_path: Path):
    """``model(template)``: a directory with the files of a tokenizer."""

    def write(name: str = "qwen3", template: str = "") -> Path:
        tokenizer = families.tokenizer(name)
        tokenizer.save_pretrained(tmp_path)
        if template:
            (tmp_path / "chat_template.jinja").write_text(template)
        ends = [tokenizer.convert_tokens_to_ids(end) for end in families.ends(name)]
        (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": ends}))
        return tmp_path

    return write


@pytest.mark.parametrize("name", [name for name in families.NAMES if not name.startswith(families.OF_PARTS)])
def test_a_plan_finds_the_answers_that_training_learns(name, model):
    theirs = families.chat_of(name)
    directory = model(name)
    ours = ChatTokenizer(TextTokenizer(directory), {theirs.tokenizer.convert_tokens_to_ids(end) for end in families.ends(name)})
    assert (ours.turn_end, ours.configured, ours.answers.ends) == (theirs.turn_end, theirs.configured, theirs.answers.ends)
    for messages, tools in families.CONVERSATIONS.values():
        try:
            expected = theirs._text_and_spans([theirs.plain(turn) for turn in messages], tools, 0)
        except UserError as refusal:
            with pytest.raises(UserError, match=refusal.code):
                ours.encode(messages, tools)
            continue
        text, spans = expected
        found = ours.encode(messages, tools)
        learnt = {at for start, stop in spans for at in range(start, stop)} - {0}
        assert len(found.tokens) == len(text)
        assert {at for at, label in enumerate(found.labels) if label} == learnt


def test_rows_that_the_template_refuses_are_told_of_with_their_number(model):
    directory = model(template="{% if messages | length > 2 %}{{ raise_exception('one turn only') }}{% endif %}" + families.source("qwen3"))
    with pytest.raises(UserError, match=r"Row 2: .*one turn only"):
        told(directory, {"messages": ROW["messages"][:2]}, ROW)


@pytest.mark.parametrize("answers", [("Paris", "Milan"), ("A", "B"), ("7", "8")])
def test_answers_of_the_same_length_are_not_taken_for_the_same(answers, model):
    directory = model()
    chosen, rejected = ([message("assistant", answer)] for answer in answers)
    pair = {"messages": [message("user", "Which?")], "chosen": chosen, "rejected": rejected}
    assert told(directory, pair, provider=lambda slot: PairObjective())[0][1].startswith("the first row was written with it now")
    with pytest.raises(UserError, match=r"TS-DATA-082: Row 1"):
        told(directory, pair | {"rejected": chosen}, provider=lambda slot: PairObjective())


def test_a_model_without_a_template_is_told_of(model):
    directory = model()
    (directory / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="TS-DATA-030"):
        told(directory, ROW)


def test_where_templates_can_t_be_run_rows_are_looked_at_in_the_step(model, monkeypatch: pytest.MonkeyPatch):
    directory = model(template="{{ raise_exception('never') }}")
    monkeypatch.setattr(label_preview, "find_spec", lambda name: None)
    (_, reason), warnings = told(directory, ROW)
    assert (reason.partition(" once")[0], warnings) == ("each row is held against it", ())


def test_what_would_be_learnt_otherwise_than_meant_is_warned_of(model):
    directory = model(
        template="{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )
    decision, warnings = told(directory, ROW)
    assert "the first row was written with it now" in decision[1]
    assert any("would not learn to stop" in warning for warning in warnings)


def _elsewhere(slot: str):
    from tunesmith.contracts import TunesmithError

    raise TunesmithError("TS-RUN-011", "not here")


@pytest.mark.parametrize("case", ["to be fetched", "rows unknown", "objective elsewhere", "sees"])
def test_where_nothing_can_be_tried_yet_the_plan_says_that_the_step_will(case, model):
    directory = model()
    if case == "sees":
        (directory / "preprocessor_config.json").write_text("{}")
    rows = () if case == "rows unknown" else (ROW,)
    arguments = {"provider": _elsewhere} if case == "objective elsewhere" else {}
    decision, warnings = told(None if case == "to be fetched" else directory, *rows, **arguments)
    assert "once the model is here, before its weights are loaded" in decision[1]
    assert not warnings
