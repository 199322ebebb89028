"""What is asked: lengths as distributions say, prompts that share what they should, and files."""

from __future__ import annotations

import itertools
import json
import random
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import UserError
from tunesmith_bench.load.record import Record
from tunesmith_bench.results.slo import parse_slo
from tunesmith_bench.workload.lengths import Length, parse_length
from tunesmith_bench.workload.prompts import Scale, Workload, read_prompts
from tunesmith_bench.workload.token_counter import TokenCounter


@pytest.mark.parametrize("text", ["normal:200:30", "lognormal:200:120"])
def test_lengths_have_the_mean_and_deviation_that_are_asked_for(text: str) -> None:
    length, chance = parse_length(text), random.Random(0)
    drawn = [length.draw(chance) for _ in range(20_000)]
    assert statistics.mean(drawn) == pytest.approx(length.mean, rel=0.03)
    assert statistics.stdev(drawn) == pytest.approx(length.deviation, rel=0.05)


@given(
    st.sampled_from(["fixed", "normal", "lognormal"]), st.integers(1, 500), st.integers(0, 900), st.integers(1, 300), st.integers(0, 300)
)
def test_no_length_is_out_of_its_bounds(kind: str, mean: int, deviation: int, least: int, more: int) -> None:
    drawn = Length(kind, mean, deviation, least, least + more).draw(random.Random(1))
    assert least <= drawn <= least + more


@pytest.mark.parametrize("text", ["128", "normal:128:32", "lognormal:128:64:16:512"])
def test_a_length_reads_as_it_is_written(text: str) -> None:
    assert str(parse_length(text)) == text


@given(st.text(max_size=12).filter(lambda text: ":" not in text and not text.strip().replace(".", "").isdigit()))
def test_what_is_no_length_is_refused(text: str) -> None:
    for written in (
        text,
        f"normal:{text}",
        "normal:128",
        "fixed:1:2",
        "0",
        "-4",
        "normal:5:-1",
        "normal:5:1:9:3",
        "nan",
        "lognormal:1:inf",
    ):
        with pytest.raises(UserError, match="TS-BENCH-002"):
            parse_length(written)


def contents(workload: Workload, seed: int, count: int = 20) -> list[list[str]]:
    return [request.body["messages"][0]["content"].split() for request in itertools.islice(workload.requests(seed, Scale()), count)]


def test_prompts_share_what_they_should_and_nothing_more() -> None:
    workload = Workload(parse_length("100"), shared_prefix=0.4)
    found = contents(workload, 1)
    assert {len(words) for words in found} == {100}
    assert len({tuple(words[:40]) for words in found}) == 1
    assert len({tuple(words[:44]) for words in found}) == len(found)
    assert found == contents(workload, 1)
    assert contents(workload, 2)[0][:40] != found[0][:40]  # another run profits from no cache of this one's
    assert len({tuple(words[:4]) for words in contents(Workload(parse_length("100")), 1)}) == 20


def test_files_of_prompts(tmp_path: Path) -> None:
    lines = tmp_path / "a.txt"
    lines.write_text("Who?\n\nWhere?\n")
    rows = tmp_path / "a.jsonl"
    turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    rows.write_text("\n".join(map(json.dumps, [{"prompt": "Who?"}, {"messages": turns}])))
    assert [conversation[-1]["content"] for conversation in read_prompts(lines)] == ["Who?", "Where?"]
    assert [conversation[-1]["content"] for conversation in read_prompts(rows)] == ["Who?", "Why?"]
    for bad in ('{"answer": 1}', "{", '{"messages": []}', ""):
        rows.write_text(bad)
        with pytest.raises(UserError, match="TS-BENCH-003"):
            read_prompts(rows)


def test_tokens_are_counted_by_the_tokenizer_and_a_server_that_counts_otherwise_is_told(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    counter = TokenCounter(tmp_path)
    records = [Record(0.0, text="one two three", pieces=[1.0], ended=1.0, usage_tokens=usage) for usage in (3, 4)]
    counter.count(records)
    assert [record.output_tokens for record in records] == [3, 3]
    assert not any(record.text for record in records)
    assert counter.source(records) == "tokenizer"
    assert counter.disagreement(records) is None  # the token that ends an answer is none of its text
    for record in records:
        record.usage_tokens = 6
    assert counter.disagreement(records) == pytest.approx(1.0)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_an_objective_is_read_as_it_is_written(first: int, between: int) -> None:
    slo = parse_slo(f" ttft={first}ms , itl={between / 1000}s")
    assert slo.bounds == pytest.approx({"ttft": first / 1000, "itl": between / 1000})
    assert parse_slo(str(slo)).bounds == pytest.approx(slo.bounds)


@pytest.mark.parametrize("text", ["ttft", "ttft=3", "ttft=-1s", "p99=1s", "ttft=1s,ttft=2s", "ttft=0ms"])
def test_what_is_no_objective_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="TS-BENCH-001"):
        parse_slo(text)
