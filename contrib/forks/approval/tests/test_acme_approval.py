from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.slow

PIPELINE = "name: p\nmodel: file://model\nsteps:\n  api: {serve: transformers, from: model}\n"


def test_a_model_that_is_not_approved_is_not_served(house):
    place = house("approval", pipeline=PIPELINE)
    told = place.tunesmith("run", status=2)
    assert "ACME-APPROVAL-001" in told
    assert re.search(r"tunesmith approve sha256:[0-9a-f]{64} --by", told)


def test_an_approval_is_of_one_model(house):
    place = house("approval", pipeline=PIPELINE)
    place.tunesmith("approve", "sha256:" + "0" * 64, "--by", "The board")
    assert "ACME-APPROVAL-001" in place.tunesmith("run", status=2)


def test_the_approved_model_passes_the_gate(house):
    place = house("approval", pipeline=PIPELINE)
    digest = re.search(r"approve (sha256:[0-9a-f]{64})", place.tunesmith("run", status=2))[1]
    place.tunesmith("approve", digest, "--by", "The board")
    # what comes next is the backend's refusal of a model of one number: the gate let it through
    told = place.tunesmith("run", status=None)
    assert "ACME-APPROVAL" not in told
    assert "TS-" in told


def test_approvals_that_cant_be_read_approve_nothing(house):
    place = house("approval", pipeline=PIPELINE)
    (place.folder / "approvals.jsonl").write_text("{")
    assert "ACME-APPROVAL-003" in place.tunesmith("run", status=2)


def test_what_is_no_digest_is_not_approved(house):
    place = house("approval", pipeline=PIPELINE)
    assert "ACME-APPROVAL-002" in place.tunesmith("approve", "latest", "--by", "The board", status=2)
    assert not (place.folder / "approvals.jsonl").exists()


REQUIRED = '[plugins]\nrequire = ["acme-approval==1.*"]\n'


def test_a_house_that_requires_the_gate_serves_nothing_without_it(house):
    place = house(pipeline=PIPELINE, config=REQUIRED)
    for words in (("plan",), ("run",)):
        assert "TS-PLUGIN-022: acme-approval==1.* is required, and not installed" in place.tunesmith(*words, status=2)
    assert not (place.folder / ".tunesmith" / "runs").exists()


def test_a_required_gate_that_cannot_be_imported_is_a_closed_one(house):
    place = house("approval", pipeline=PIPELINE, config=REQUIRED)
    assert "ACME-APPROVAL-001" in place.tunesmith("run", status=2)
    (place.site / "acme_approval" / "plugin.py").write_text("import acme_ledger\n")
    for words in (("plan",), ("run",), ("resume",)):
        assert "TS-PLUGIN-023" in place.tunesmith(*words, status=2)
    told = place.tunesmith("plugin", "doctor", "acme-approval", status=1)
    assert "No module named 'acme_ledger'" in told
