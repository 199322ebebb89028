"""Without Ray: the searcher is listed, not asked unless it is named, and says what it lacks."""

from __future__ import annotations

import importlib.util

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import TunesmithError
from tunesmith.plugins.registry import load_registry
from tunesmith_tune.searcher_choice import choose_searcher


def test_it_is_asked_only_where_it_is_named():
    assert choose_searcher(load_registry(load_config()), "", 1).name != "ray-tune"


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")
def test_without_ray_it_says_what_to_install():
    with pytest.raises(TunesmithError) as told:
        choose_searcher(load_registry(load_config()), "ray-tune", 1)
    assert "tunesmith-ray-tune[runtime]" in told.value.fix
