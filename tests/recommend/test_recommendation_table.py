"""What is recommended for machines, rows and goals: `cases.json`, each row with the rules that make it right.

Write it anew after a rule, a manifest or an estimate changed, and read what is different: run this file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import UserError
from tunesmith_recommend.choice.rules import rules

FILE = Path(__file__).with_name("cases.json")
CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
#: looked at each time: what is chosen at once
QUICK = ("edge", "speed")


def chosen(world: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """What is recommended, in a few words, or why nothing is."""
    try:
        found, _ = world.recommend(**asked)
    except UserError as error:
        return {"error": error.code, "why": error.what}
    steps = found.pipeline["steps"]
    rest = {name: next(iter(step.values())) for name, step in steps.items() if name != "tune"}
    tune = {key: value for key, value in steps["tune"].items() if key not in ("data", "settings")}
    rules = sorted({choice.rule.id for choice in found.choices if not choice.rule.id.startswith("setting.")})
    return {"model": found.pipeline["model"], **tune, **steps["tune"]["settings"], **rest, "rules": rules}


def _id(case: dict[str, Any]) -> str:
    return "-".join(str(value) for value in case["asked"].values())


def _marked(case: dict[str, Any]) -> Any:
    quick = case["asked"].get("goal") in QUICK and "x" not in case["asked"]["machine"]
    return pytest.param(case, id=_id(case), marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize("case", [*map(_marked, CASES)])
def test_what_is_recommended(world: Any, case: dict[str, Any]):
    assert chosen(world, case["asked"]) == case["recommended"], case["because"]


def test_there_are_forty_that_differ_and_each_says_by_which_rule_or_provider():
    assert len({_id(case) for case in CASES}) == len(CASES) >= 40
    for case in CASES:
        named = set(re.findall(r"[a-z]+\.[a-z_.-]*[a-z]", case["because"])) & {*rules()}
        providers = re.findall(r"`([a-z-]+)`", case["because"])
        assert named or providers, case["because"]
        assert all(name in json.dumps(case["recommended"]) for name in providers), case["because"]
    assert len({case["recommended"].get("model") for case in CASES}) >= 12


if __name__ == "__main__":
    import tempfile

    from world import World

    from tunesmith.config import load_config
    from tunesmith.plugins.registry import load_registry

    with tempfile.TemporaryDirectory() as folder:
        here = World(Path(folder), load_registry(load_config()))
        for one in CASES:
            one["recommended"] = chosen(here, one["asked"])
            print(_id(one), one["recommended"].get("model", one["recommended"]), flush=True)
    lines = ",\n ".join(
        "{" + ",\n  ".join(f"{json.dumps(key)}: {json.dumps(one[key], ensure_ascii=False)}" for key in one) + "}" for one in CASES
    )
    FILE.write_text(f"[{lines}]\n", encoding="utf-8")
