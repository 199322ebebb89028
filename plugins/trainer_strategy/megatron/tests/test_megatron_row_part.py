"""The ranks of a context-parallel group have each token of a row once, and find again what they have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="rows are tensors; runs wherever the training engine is installed")
from tunesmith_megatron.row_part import RowPart  # noqa: E402

rows = st.lists(st.integers(1, 23), min_size=1, max_size=5)


@given(rows, st.integers(1, 5), st.integers(1, 4))
def test_each_token_is_with_one_rank_and_what_all_have_is_put_in_order(lengths, ranks, together):
    parts = [RowPart.of(lengths, rank, ranks, together) for rank in range(ranks)]
    row = torch.arange(1, sum(lengths) + 1)
    ids = [part.ids(row) for part in parts]
    assert sorted(number for part in ids for number in part.tolist() if number) == row.tolist()
    assert len({len(part) for part in ids}) == 1
    assert len(ids[0]) % together == 0
    whole = torch.cat(ids) if parts[0].order is None else torch.cat(ids)[parts[0].order]
    begin, expected = 1, []
    for length, long in zip([*lengths, 0], [*parts[0].lengths, 0], strict=False):
        expected += [*range(begin, begin + length), *[0] * (long - length)]
        begin += length
    assert whole.tolist() == expected


@given(rows, st.integers(1, 5))
def test_a_piece_ends_with_the_last_token_that_it_sees_and_pieces_cost_every_rank_the_same(lengths, ranks):
    parts = [RowPart.of(lengths, rank, ranks) for rank in range(ranks)]
    for part in parts:
        at, begin = 0, 0
        for pieces, length in zip(part.pieces, lengths, strict=True):
            for size, seen in pieces:
                known = [(place, token) for place, token in enumerate(part.tokens[at : at + size].tolist()) if token >= 0]
                assert all(token == begin + seen - size + place for place, token in known)
                at += size
            begin += length
        assert at == len(part.tokens)
    assert len({sum(size * seen for pieces in part.pieces for size, seen in pieces) for part in parts}) == 1


@given(rows, st.integers(1, 4), st.data())
def test_places_are_found_by_the_rank_that_has_them(lengths, ranks, data):
    places = torch.tensor(data.draw(st.lists(st.integers(0, sum(lengths) - 1), max_size=9)), dtype=torch.long)
    found = {}
    for rank in range(ranks):
        part = RowPart.of(lengths, rank, ranks)
        numbers, at = part.find(places)
        found |= dict(zip(numbers.tolist(), part.tokens[at].tolist(), strict=True))
    assert [found[number] for number in range(len(places))] == places.tolist()
