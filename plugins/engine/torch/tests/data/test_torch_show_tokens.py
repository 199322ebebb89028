"""What `tunesmith data preview` shows: rows as tokens with their labels, and what looks wrong about them."""

from __future__ import annotations

import json

import pytest

from tunesmith.contracts import UserError
from tunesmith.contracts.settings import build
from tunesmith_data.api import message
from tunesmith_dpo.objective import DirectPreference
from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_sdk.tiny_models import CHAT_TEMPLATE, tiny_model, tiny_tokenizer
from tunesmith_torch.api import Group, TokenSequence
from tunesmith_torch.api.objective import LAST
from tunesmith_torch.data.show_tokens import FILE, pieces, run
from tunesmith_torch.data.token_counts import counts_of
from tunesmith_torch.settings import PreviewSettings

TURNS = [
    message("system", "Be brief."), message("user", "Hello you"), message("assistant", " Hi, naïve café 你好 🙂"), message("user", "And?"),
    message("assistant", "Nothing."),
]  # fmt: skip
MARKED = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% if message['role'] == 'assistant' %}{% generation %}"
    "{{ message['content'] }}<|im_end|>{% endgeneration %}{% else %}{{ message['content'] }}<|im_end|>{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOLS = CHAT_TEMPLATE.replace(
    "{{ message['content'] }}<|im_end|>",
    "{{ message['content'] }}{% for call in message['tool_calls'] or [] %}call {{ call['function']['name'] }}{% endfor %}<|im_end|>",
)


def previewed(bench, data, template: str = CHAT_TEMPLATE, objective=None, **settings):
    """The rows shown, and the statistics."""
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    tokenizer.save_pretrained(bench.base.path)
    step = bench.step(rows=data, objective=objective)
    step.settings = build(PreviewSettings, settings)
    run(step)
    *shown, total = map(json.loads, (step.output / FILE).read_text().splitlines())
    return shown, total


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A model of this file's own: its template changes."""
    return tiny_model(tmp_path_factory.mktemp("previewed"))


def test_roles_bound_the_tokens_and_the_answers_are_learnt(bench):
    ((row,), total) = previewed(bench, [{"messages": TURNS}])
    (sequence,) = row["sequences"]
    told = {}
    for turn in sequence["turns"]:
        texts, labels = (sequence[key][turn["start"] : turn["stop"]] for key in ("texts", "labels"))
        told.setdefault(turn["role"], []).append(("".join(texts), "".join(t for t, label in zip(texts, labels, strict=True) if label)))
    assert [turn["role"] for turn in sequence["turns"]] == ["system", "user", "assistant", "user", "assistant"]
    assert told["assistant"] == [
        ("<|im_start|>assistant\n Hi, naïve café 你好 🙂<|im_end|>\n", " Hi, naïve café 你好 🙂<|im_end|>"),
        ("<|im_start|>assistant\nNothing.<|im_end|>\n", "Nothing.<|im_end|>"),
    ]
    assert all(learnt == "" for role in ("system", "user") for _, learnt in told[role])
    assert sequence["doubts"] == []
    count = len(sequence["tokens"])
    (counts,) = total.pop("counts")
    assert total == {"rows": 1, "broken": 0, "lengths": [count], "max_length": 2048}
    labels = sequence["labels"]
    assert counts == {
        "row": 1, "endless": 0, "tokens": [count],
        "trained": [sum(labels)], "left": [sum(labels)], "begin": [labels.index(True)], "common": count,
    }  # fmt: skip


def test_where_no_row_is_asked_for_the_lengths_are_told(bench):
    shown, total = previewed(bench, [{"messages": TURNS}], rows=[])
    assert shown == []
    assert total["rows"] == 1


def test_the_pieces_of_a_text_are_the_text():
    backend = tiny_tokenizer().backend_tokenizer
    for text in ("Hello you", "naïve café 你好 🙂 end", "🙂🙂", "\n\n tabs\tand spaces  "):
        assert "".join(pieces(backend, backend.encode(text).ids)) == text


def test_a_pair_shows_both_answers_under_their_names(bench, preference_rows):
    ((row,), _) = previewed(bench, preference_rows, objective=DirectPreference(PreferenceSettings()), rows=[3])
    assert row["row"] == 3
    assert [sequence["name"] for sequence in row["sequences"]] == ["chosen", "rejected"]
    assert all([turn["role"] for turn in sequence["turns"]] == ["user", "assistant"] for sequence in row["sequences"])


def test_what_a_pair_shares_and_what_is_left_of_it_is_counted(bench):
    long = [{"messages": [message("user", "Hello you")], "chosen": [message("assistant", said)], "rejected": [message("assistant", "No")]}
            for said in ("Yes", "Nothing " * 40)]  # fmt: skip
    shown, total = previewed(bench, long, objective=DirectPreference(PreferenceSettings()), rows=[1, 2], max_length=32)
    for row, counts in zip(shown, total["counts"], strict=True):
        labels, tokens = ([sequence[key] for sequence in row["sequences"]] for key in ("labels", "tokens"))
        assert counts["trained"] == [sum(side) for side in labels]
        assert counts["left"] == [sum(side[:32]) for side in labels]
        assert counts["begin"] == [side.index(True) for side in labels]
        assert tokens[0][: counts["common"]] == tokens[1][: counts["common"]]
        assert tokens[0][counts["common"]] != tokens[1][counts["common"]]
        assert counts["common"] >= counts["begin"][0] == counts["begin"][1]
    assert total["counts"][1]["left"][0] < total["counts"][1]["trained"][0]


@pytest.mark.parametrize(("places", "trained", "left"), [((LAST,), 1, 1), ((1, 3), 2, 1), ((), 0, 0)])
def test_places_of_hidden_states_count_as_trained(places, trained, left):
    group = Group((TokenSequence([1, 2, 3, 4], [False] * 4, places=places),))
    assert counts_of(group, 3) == {"tokens": [4], "trained": [trained], "left": [left], "begin": [None], "common": 4}


def test_calls_of_tools_are_learnt_where_the_assistant_makes_them(bench):
    call = {"role": "assistant", "content": [], "tool_calls": [{"function": {"name": "weather", "arguments": {}}}]}
    row = {
        "messages": [TURNS[1], call, {**message("tool", "rain"), "role": "tool"}, TURNS[4]],
        "tools": [{"function": {"name": "weather"}}],
    }
    ((shown,), _) = previewed(bench, [row], TOOLS)
    (sequence,) = shown["sequences"]
    learnt = "".join(t for t, label in zip(sequence["texts"], sequence["labels"], strict=True) if label)
    assert learnt == "call weather<|im_end|>Nothing.<|im_end|>"
    assert [turn["role"] for turn in sequence["turns"]] == ["user", "assistant", "tool", "assistant"]


def test_an_answer_without_its_end_of_turn_is_doubted(bench):
    ((row,), _) = previewed(
        bench, [{"messages": TURNS[1:3]}], MARKED.replace("<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>")
    )
    (doubt,) = row["sequences"][0]["doubts"]
    assert "ends the turn is not trained on" in doubt


def test_marks_that_enclose_nothing_are_told(bench):
    template = MARKED.replace("{% generation %}", "").replace("{% endgeneration %}", "{% generation %}{% endgeneration %}")
    ((row,), _) = previewed(bench, [{"messages": TURNS[1:3]}], template)
    assert row["error"]["code"] == "TS-DATA-033"


def test_a_template_that_writes_a_prefix_differently_is_read_all_the_same(bench):
    template = CHAT_TEMPLATE.replace("{% for", "{{ messages | length }}{% for", 1)
    ((row,), _) = previewed(bench, [{"messages": TURNS}], template)
    (sequence,) = row["sequences"]
    learnt = "".join(text for text, label in zip(sequence["texts"], sequence["labels"], strict=True) if label)
    assert learnt == " Hi, naïve café 你好 🙂<|im_end|>Nothing.<|im_end|>"
    assert [turn["role"] for turn in sequence["turns"]] == ["system", "user", "assistant", "user", "assistant"]


def test_a_row_that_the_template_refuses_is_told(bench):
    template = CHAT_TEMPLATE.replace("{% for", "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}{% for", 1)
    ((row,), total) = previewed(bench, [{"messages": TURNS}], template)
    assert row["error"]["code"] == "TS-DATA-036"
    assert total["broken"] == 1


def test_a_row_beyond_max_length_is_told(bench, chat_rows):
    ((row,), total) = previewed(bench, chat_rows, max_length=10)
    assert "max_length" in row["sequences"][0]["doubts"][0]
    assert (total["rows"], total["max_length"]) == (20, 10)


def test_a_row_that_there_is_not_is_refused(bench, chat_rows):
    with pytest.raises(UserError, match=r"TS-DATA-044.*has 20"):
        previewed(bench, chat_rows, rows=[21])


def test_labels_are_those_of_trls_assistant_only_loss(bench, tmp_path, tiny, monkeypatch):
    """TRL is the oracle: the same tokens and the same mask for a template that marks what the assistant says."""
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from tunesmith_torch.api.model import load_model

    ((row,), _) = previewed(bench, [{"messages": TURNS}], MARKED)
    plain = [{"role": turn["role"], "content": turn["content"][0]["text"]} for turn in TURNS]
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = MARKED
    config = SFTConfig(output_dir=str(tmp_path / "trl"), assistant_only_loss=True, report_to=[], use_cpu=True, max_length=512)
    trainer = SFTTrainer(load_model(tiny), args=config, train_dataset=Dataset.from_list([{"messages": plain}]), processing_class=tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[0]])
    (sequence,) = row["sequences"]
    assert batch["input_ids"][0].tolist() == sequence["tokens"]
    assert [label != -100 for label in batch["labels"][0].tolist()] == sequence["labels"]
