"""Rows with pictures, sounds or videos go to a model that takes them: what its configuration tells, an estimate says."""

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith.errors import UserError
from tunesmith_models import check_media, takes

LLAMA = {"model_type": "llama", "hidden_size": 8, "rope_scaling": {"factor": 2}}
SEES = {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text"}, "vision_config": {"hidden_size": 8}}
HEARS = {"model_type": "omni", "thinker_config": {"audio_config": {"layers": 1}, "text_config": {"layers": 1}}}


@pytest.mark.parametrize(("config", "image", "audio"), [
    (LLAMA, False, False), (SEES, True, False), (HEARS, False, True), ({}, None, None), ({"model_type": "newest"}, None, None),
    ({**LLAMA, "visual": {"width": 8}}, None, None),
    ({"model_type": "newest", "vision_config": {"width": 8}, "ears": {"width": 1}}, True, None),
])  # fmt: skip
def test_a_configuration_tells_what_a_model_takes_or_that_it_does_not_tell(config, image, audio):
    assert [takes(config, type) for type in ("text", "image", "video", "audio")] == [True, image, image, audio]


def test_a_model_of_text_is_refused_with_rows_that_show_something():
    with pytest.raises(UserError, match="TS-DATA-032: 2 of the rows have a part of type image"):
        check_media(EstimateRequest(LLAMA, data={"rows": 3, "media": {"image": 2}}))


def test_what_cannot_be_told_is_said_to_be_seen_in_the_step():
    rows = {"rows": 3, "media": {"image": 2}}
    (warning,) = check_media(EstimateRequest({"model_type": "newest"}, data=rows))
    assert warning.startswith("2 of the rows have a part of type image")
    assert check_media(EstimateRequest(SEES, data=rows)) == check_media(EstimateRequest(LLAMA)) == ()
