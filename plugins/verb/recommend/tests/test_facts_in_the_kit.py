"""The conformance kit asks this distribution whether it understands what a plugin says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance import conform
from tunesmith_sdk.conformance.mutants import GoodPlugin

TILT = GoodPlugin(
    "exporter",
    "class Provider:\n    def export(self, source, output, step):\n        pass\n",
    'accepts=("model/hf",), produces=("model/hf",), facts={"recommend": {"order": 25, "rule": "it is good", "source": "a paper"}}',
)


@pytest.mark.parametrize(("change", "told"), [((), ""), ((('"order"', '"oder"'),), "`order` is missing")])
def test_a_recommendation_that_is_not_understood_is_told_to_its_author(
    change: tuple[tuple[str, str], ...], told: str, tmp_path: Path
) -> None:
    (outcome,) = conform(TILT.write(tmp_path, *change), only=["provider.facts"]).outcomes
    assert outcome.state == ("failed" if told else "passed")
    assert told in outcome.what
