"""`make test-share` keeps to its time, and every proof has its turn."""

from __future__ import annotations

import proofs
import pytest

SLOW = list(proofs.proofs("slow"))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the proofs take, as the ledger has it."""
    told = {file: proofs.seconds(file) for file in SLOW}
    monkeypatch.setattr(proofs, "proofs", lambda kind: iter(SLOW))
    monkeypatch.setattr(proofs, "seconds", told.__getitem__)
    return told


@pytest.mark.parametrize("minutes", [5, 15])
def test_what_is_chosen_takes_no_longer_than_it_may(minutes: int, known: dict[str, float]) -> None:
    shares = [proofs.chosen(minutes, f"commit {number}") for number in range(40)]
    assert all(shares)
    assert all(sum(known[file] for file in share) <= minutes * 60 * 2 for share in shares)
    assert all(sum(known[file] for file in share) <= 0.85 * minutes * 60 * 2 + 1e-6 for share in shares if len(share) > 1)


def test_every_proof_that_fits_has_its_turn(known: dict[str, float]) -> None:
    seen = {file for number in range(2000) for file in proofs.chosen(15, f"commit {number}")}
    assert seen == {file for file, seconds in known.items() if seconds <= 15 * 60 * 2}


def test_a_commit_decides_for_good() -> None:
    assert proofs.chosen(15, "commit") == proofs.chosen(15, "commit")
