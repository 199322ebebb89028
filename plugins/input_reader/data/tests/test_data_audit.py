"""What speaks against training on rows that can all be used."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import Artifact
from tunesmith.contracts.kinds.input_reader import WorkerDied
from tunesmith.errors import TunesmithError, UserError
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message
from tunesmith_data.audit.audit import Audit
from tunesmith_data.audit.finding import KEPT, Finding
from tunesmith_data.audit.fix_command import Inspected
from tunesmith_data.audit.length_bias import LEAST, length_bias, lower_bound
from tunesmith_data.audit.packing import packed
from tunesmith_data.audit.rows import RowAudit, digest_of_prompt, one_label, shared_prompts
from tunesmith_data.audit.tokens import by_tokens, unfit
from tunesmith_data.audit.worker import run
from tunesmith_data.settings import CheckSettings

SCHEMA = {"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}}


def pair(prompt: str, chosen: str, rejected: str):
    sides = {"chosen": chosen, "rejected": rejected}
    return {"messages": [message("user", prompt)], **{side: [message("assistant", text)] for side, text in sides.items()}}


def counts(row: int, tokens=(10, 12), trained=(4, 6), left=None, begin=(6, 6), common=6):
    return {
        "row": row,
        "tokens": list(tokens),
        "trained": list(trained),
        "left": list(left or trained),
        "begin": list(begin),
        "common": common,
    }


def found(rows, max_length: int = 64, lines=()):
    return {finding.name: finding for finding in by_tokens(rows, max_length, lines)}


def test_pairs_without_a_fault_are_no_warning():
    told = found([counts(1), counts(2, (12, 10), (6, 4))])
    assert {name: finding.count for name, finding in told.items()} == {
        "equal-pairs": 0, "different-prompts": 0, "too-long": 0, "emptied": 0, "length-bias": 1,
    }  # fmt: skip
    assert not any(finding.warning for finding in told.values())


@pytest.mark.parametrize(("row", "name"), [
    (counts(2, (10, 10), (4, 4), common=10), "equal-pairs"),
    (counts(2, common=5), "different-prompts"),
    (counts(2, begin=(6, 7)), "different-prompts"),
    (counts(2, (100, 12), left=(0, 6)), "emptied"),
    (counts(2, (65, 12), left=(3, 6)), "too-long"),
    (counts(2) | {"endless": 1}, "endless"),
    ({"row": 2, "error": "TS-DATA-036"}, "refused"),
])  # fmt: skip
def test_each_fault_is_found_with_its_line(row, name):
    finding = found([counts(1), row, counts(3)], lines=(1, 4, 9))[name]
    assert (finding.count, finding.lines, finding.warning) == (1, (4,), True)
    assert finding.rule


def test_a_copy_leaves_out_all_rows_of_which_something_is_told_by_tokens_each_with_what():
    rows = [counts(1), counts(2, (65, 12), left=(3, 6)) | {"endless": 1}, *(counts(number, common=5) for number in range(3, 400))]
    told = unfit(rows, 64, range(11, 411))
    assert list(told) == [12, *range(13, 410)]
    assert told[12] == "longer than 64 tokens; an answer whose end is not trained on: the model would not learn to stop"


@pytest.mark.parametrize(
    ("name", "lines", "command"),
    [
        ("endless", (3,), "fix 'my rows.jsonl' --columns q=ask --model ./m --max-length 64 --output FILE"),
        ("pii-email", (3,), "fix 'my rows.jsonl' --columns q=ask --mask-pii --output FILE"),
        ("contamination.near", ((3, 1),), "fix 'my rows.jsonl' --columns q=ask --against test.jsonl --output FILE"),
        ("shared-prompts", ((1, 3), (2, 3)), "fix 'my rows.jsonl' --columns q=ask --without 3 --output FILE"),
        ("nearly-equal-pairs", (9, 4), "fix 'my rows.jsonl' --columns q=ask --without 4,9 --output FILE"), ("length-bias", (), ""),
    ],
)  # fmt: skip
def test_each_finding_has_the_command_that_fixes_it(name, lines, command):
    tokens, against = ("--model", "./m", "--max-length", "64"), ("--against", "test.jsonl")
    inspected = Inspected("my rows.jsonl", ("--columns", "q=ask"), tokens, "new.jsonl", against)
    (finding,) = inspected.with_fixes([Finding.of_lines(name, "what", lines, 10)])
    assert finding.fix == (f"tunesmith data {command}" if command else "")


def test_a_few_rows_that_are_too_long_are_no_warning():
    rows = [counts(number) for number in range(1, 20)] + [counts(20, (65, 12), left=(3, 6))]
    assert not found(rows)["too-long"].warning
    assert found([*rows, counts(21, (66, 12), left=(3, 6))])["too-long"].warning


def test_what_a_row_without_labels_shares_is_not_judged():
    assert found([counts(1, begin=(None, None), common=2, trained=(1, 1))])["different-prompts"].count == 0


def test_rows_of_one_sequence_are_no_pairs():
    told = found([{"row": 1, "tokens": [100], "trained": [3], "left": [0], "begin": [90], "common": 100}])
    assert set(told) == {"too-long", "emptied", "packing"}
    assert told["emptied"].lines == (1,)


def one(row: int, tokens: int, trained: int):
    return {"row": row, "tokens": [tokens], "trained": [trained], "left": [trained], "begin": [tokens - trained], "common": tokens}


def test_a_mask_that_covers_all_or_nothing_is_told_with_its_lines():
    told = found([one(1, 10, 4), one(2, 10, 0), one(3, 10, 9)])
    assert (told["untrained"].lines, told["untrained"].warning) == ((2,), True)
    assert (told["all-trained"].lines, told["all-trained"].warning) == ((3,), True)
    assert "all-trained" not in found([one(1, 10, 10), one(2, 9, 8)]), "an objective of whole texts"


@given(st.lists(st.integers(0, 40), max_size=60))
def test_packed_sequences_are_as_few_as_a_bound_allows(lengths):
    count, filled = packed(lengths, 32)
    used = sum(min(length, 32) for length in lengths)
    assert -(-used // 32) <= count <= max(1, -(-used * 2 // 32)) if used else count == 0
    assert filled <= 1.0
    assert packed([20, 12, 30, 2, 16, 16], 32) == (3, 1.0)


def test_more_lines_than_are_kept_are_counted():
    finding = Finding.of_lines("a", "b", range(KEPT + 5), KEPT + 5)
    assert (finding.count, len(finding.lines)) == (KEPT + 5, KEPT)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=60))
def test_length_alone_is_judged_the_same_whichever_side_it_is_on(lengths):
    one, other = length_bias(lengths, "tokens"), length_bias([(b, a) for a, b in lengths], "tokens")
    assert one.figures["accuracy"] == other.figures["accuracy"]
    assert one.warning == other.warning
    assert one.count == sum(a > b for a, b in lengths)
    assert not lengths or 0.5 <= one.figures["accuracy"] <= 1
    assert one.figures["for_certain"] <= one.figures["accuracy"]
    assert one.warning == (one.figures["for_certain"] > LEAST)


def test_few_pairs_of_one_kind_are_no_warning_and_many_are():
    assert not length_bias([(2, 1)] * 3, "tokens").warning
    assert length_bias([(2, 1)] * 30, "tokens").warning
    assert not length_bias([(2, 1), (1, 2)] * 200, "tokens").warning


def test_the_bound_is_the_one_that_is_known():
    assert lower_bound(8, 10) == pytest.approx(0.4901, abs=1e-4)  # Wilson's interval of 8 in 10, as textbooks have it


def test_answers_that_differ_in_case_and_space_alone_are_nearly_equal():
    audit = RowAudit()
    audit.add(1, pair("x", "Yes", "No"))
    audit.add(3, pair("y", "Yes", " yes "))
    near, _ = audit.findings()
    assert (near.name, near.lines, near.of, near.warning) == ("nearly-equal-pairs", (3,), 2, True)


def test_a_prompt_in_both_files_is_found_in_whatever_case():
    audit = RowAudit(prompts=True)
    audit.add(1, pair("Who wrote Faust?", "Goethe", "Me"))
    others = [(1, pair("Why?", "a", "b")), (5, pair("who wrote  faust?", "x", "y")), (6, {"text": "a"})]
    finding = shared_prompts(audit.prompts, others)
    assert (finding.count, finding.of, finding.lines, finding.warning) == (1, 3, ((5, 1),), True)


def test_the_prompt_of_a_chat_is_what_comes_before_its_last_answer():
    ask, told = [message("user", "Hi")], [message("assistant", "Hello")]
    assert digest_of_prompt({"messages": ask + told}) == digest_of_prompt({"messages": ask})
    assert digest_of_prompt({"messages": ask + told + ask}) != digest_of_prompt({"messages": ask})
    assert digest_of_prompt({"text": "Hi"}) == b"" == digest_of_prompt({"messages": told})


@pytest.mark.parametrize(("labels", "warning"), [({"true": 3, "false": 1}, False), ({"true": 4}, True)])
def test_labels_of_one_kind_are_a_warning(labels, warning):
    finding = one_label(labels)
    assert (finding.warning, finding.of, finding.figures) == (warning, 4, labels)


class Twice:
    """Rows that become two, or are refused."""

    def convert(self, row):
        if row["q"] == "no":
            raise UserError("TS-DATA-020", "it says no", fix="Say yes.")
        return [pair(row["q"], "a", "bb")] * 2


def looked(tmp_path: Path, text: str, validation: str | None = None):
    inputs = {}
    for name, content in (("file", text), ("validation", validation)):
        if content is not None:
            (tmp_path / f"{name}.jsonl").write_text(content)
            inputs[name] = Artifact("file", tmp_path / f"{name}.jsonl")
    step = WorkerStep(
        name="it", output=tmp_path, work=tmp_path, providers={"dataset_format": Twice()}, settings=CheckSettings(SCHEMA), inputs=inputs
    )
    return json.loads(json.dumps(run(step).meta))


def test_rows_are_looked_at_in_a_worker_and_those_that_are_refused_left_out(tmp_path):
    meta = looked(tmp_path, '{"q": "x"}\n\n{"q": "no"}\n{"q": 3}\n{"q": "y"}\n', '{"q": "no"}\n{"q": "Y"}\n')
    assert meta["lines"] == [1, 1, 5, 5]
    assert [(finding["name"], finding["count"], finding["of"]) for finding in meta["findings"]] == [
        ("nearly-equal-pairs", 0, 4), ("length-bias", 0, 4), ("shared-prompts", 2, 2),
    ]  # fmt: skip
    assert Finding.from_json(meta["findings"][2]).lines == ([2, 5], [2, 5])


@pytest.fixture
def audited(formats, tmp_path):
    """Look at a file of `tickets`; nobody is asked, as where the format works in an environment of its own."""

    def audit(format="tickets", labels=None, ask=lambda question: None, **more):
        planner = SimpleNamespace(ask=ask)
        return Audit(planner, tmp_path / "rows.jsonl", formats()[format], {}, labels or {}, **more)

    return audit


def test_a_file_for_validation_that_can_not_be_read_is_told(audited, tmp_path):
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    (tmp_path / "empty.jsonl").touch()
    for name, code in (("none.jsonl", "TS-DATA-001"), ("table.parquet", "TS-DATA-006"), ("empty.jsonl", "TS-DATA-002")):
        with pytest.raises(UserError, match=code):
            audited(validation=tmp_path / name)


def test_where_nobody_is_asked_the_labels_and_tokens_are_told(audited):
    audit = audited(labels={"a": 2}, tokens=True)
    assert [finding.name for finding in audit.by_characters] == ["labels"]
    assert [finding.name for finding in audit.by_tokens([counts(1)], 64)][-2:] == ["length-bias", "labels"]


def test_no_worker_is_asked_of_rows_of_which_texts_alone_tell_nothing(audited):
    def ask(question):
        raise AssertionError("asked")

    assert audited(ask=ask).by_characters == ()
    with pytest.raises(AssertionError, match="asked"):
        audited("pairs", ask=ask)


def test_a_format_that_crashes_is_named(audited):
    def ask(question):
        raise WorkerDied("killed by a signal")

    with pytest.raises(TunesmithError, match="TS-DATA-048: The dataset format `pairs` crashed"):
        audited("pairs", ask=ask)
