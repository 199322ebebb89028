"""docs/types.md: its examples run as they stand, and what it says has no place in settings has none."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import re
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import Artifact, EstimateRequest
from tunesmith.contracts.settings import schema_of
from tunesmith_models import ModelShape
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint

PAGE = Path(__file__).parents[2] / "docs" / "types.md"


def example(word: str) -> dict[str, Any]:
    """The names of the example that has a word in it."""
    (code,) = [code for code in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S) if word in code and "import" in code]
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), names)
    return names


def test_the_settings_become_a_schema_with_their_defaults():
    schema = schema_of(example("TiltSettings")["TiltSettings"])
    assert schema["properties"]["schedule"]["default"] == {"warmup": 0.1}
    assert schema["properties"]["side"]["enum"] == ["left", "right"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("hint", [Path, datetime.date, enum.Enum, set[int]])
def test_what_the_page_says_is_no_type_of_a_setting_is_none(hint: Any):
    with pytest.raises(TypeError):
        schema_of(dataclasses.make_dataclass("Odd", [("a", hint)], frozen=True))


def test_the_estimator_gives_an_estimate_of_a_known_and_of_an_unknown_model():
    estimate = example("def estimate")["estimate"]
    shape = ModelShape.from_config(
        {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 10}
    )
    assert shape is not None
    assert estimate(EstimateRequest(shape.config)).memory == pytest.approx(shape.parameters * 2.2)
    assert estimate(EstimateRequest({}, input_bytes=100)).memory == pytest.approx(110)


def test_the_endpoint_is_asked(local_step, tmp_path: Path):
    with scripted_endpoint({"Who?": "me"}, tmp_path) as endpoint:
        assert isinstance(endpoint, Artifact)
        assert example("Endpoint(")["answers"](endpoint, ["Who?", "Who?"], local_step()) == ["me", "me"]
