"""Personal data: what is found, what only looks like it, and that a masked row has none left."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_data.pii.finder import masked, personal_data
from tunesmith_data.pii.findings import findings

#: a text -> the same, masked
TEXTS = {
    "Write to ann.b+c@mail.acme.io, please.": "Write to [EMAIL], please.",
    "user@example.com and root@localhost are nobody's": "user@example.com and root@localhost are nobody's",
    "Call +49 30 901820 or +86 138 1234 5678 today": "Call [PHONE] or [PHONE] today",
    "Call (415) 555-2671 or 415-555-2671.": "Call [PHONE] or [PHONE].",
    "手机号13812345678，谢谢": "手机号[PHONE]，谢谢",
    "the card 4111 1111 1111 1111 and 5500-0000-0000-0004": "the card [CARD] and [CARD]",
    "not a card: 4111 1111 1111 1112, order 1234567890123456": "not a card: 4111 1111 1111 1112, order 1234567890123456",
    "IBAN DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432": "IBAN [IBAN] and [IBAN]",
    "no IBAN: DE88 3704 0044 0532 0130 00": "no IBAN: DE88 3704 0044 0532 0130 00",
    "SSN 536-90-4399, not 000-12-3456": "SSN [NATIONAL-ID], not 000-12-3456",
    "身份证 11010519491231002X": "身份证 [NATIONAL-ID]",
    "not an identity number: 110105194912310021": "not an identity number: 110105194912310021",
    "from 8.8.8.8, not 192.168.0.1 or 127.0.0.1 or 999.1.1.1": "from [IP], not 192.168.0.1 or 127.0.0.1 or 999.1.1.1",
    "In 2024, 3.14159265358979 of 1,234,567,890 (1998-2007) rows": "In 2024, 3.14159265358979 of 1,234,567,890 (1998-2007) rows",
    "@everyone look at x = a@b and version 1.2.3": "@everyone look at x = a@b and version 1.2.3",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_what_is_personal_is_masked_and_what_only_looks_like_it_is_not(text, expected):
    assert masked(text)[0] == expected
    assert masked(expected)[1] == []


def test_a_row_is_masked_in_depth_and_media_are_left():
    row = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "I am ann@acme.io"}]}],
        "image": "data:image/png;base64,ann@acme.io",
    }
    made, kinds = masked(row)
    assert made["messages"][0]["content"][0]["text"] == "I am [EMAIL]"
    assert (made["image"], kinds) == (row["image"], ["email"])
    assert row["messages"][0]["content"][0]["text"] == "I am ann@acme.io", "the row itself is left as it is"


@given(st.text(alphabet="0123456789+-. ()@aA中", max_size=60))
def test_nothing_is_found_twice_and_nothing_is_left(text):
    found = personal_data(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    again = masked(masked(text)[0])[1]
    assert "email" not in again


def test_inspection_tells_the_lines_and_the_command(tmp_path):
    rows = [{"text": "hello"}, {"text": "ann@acme.io"}, {"text": "8.8.8.8 and bob@acme.io"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = {one.name: (one.count, one.of, one.lines, one.warning) for one in findings(tmp_path / "rows.jsonl", {})}
    assert told == {"pii-email": (2, 3, (2, 3), True), "pii-ip": (1, 3, (3,), True)}
