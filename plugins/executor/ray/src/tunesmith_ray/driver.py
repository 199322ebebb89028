"""A process that speaks to Ray: ``python -m tunesmith_ray.driver ADDRESS``. A question a line on stdin, an answer a line on stdout.

Ray ends a process that has lost its cluster; this one may be ended, and is started again for the next question. What it makes is detached:
a placement group and an actor for each rank, which are found again by their names, also by another driver.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, GetTimeoutError, RayActorError
from ray.util.placement_group import get_placement_group, placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from tunesmith_ray import rank_actor

NAMESPACE = "tunesmith"
ANSWER = 10.0  # seconds for an actor to answer
_WAITING = ("PENDING", "PREPARED")


def submit(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Reserve a bundle for each rank, and leave an actor in each, which starts when the bundles are there."""
    bundle, ranks = order["bundle"], order["commands"]
    group = placement_group([bundle] * len(ranks), strategy=order["strategy"], name=order["name"], lifetime="detached")
    others = {name: amount for name, amount in bundle.items() if name not in ("CPU", "GPU", "memory")}
    for rank, command in enumerate(ranks):
        rank_actor.RankActor.options(
            name=_actor(order["name"], rank), lifetime="detached", num_cpus=bundle.get("CPU", 0), num_gpus=bundle.get("GPU", 0),
            memory=bundle.get("memory", 0), resources=others, max_restarts=0, max_concurrency=2,
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank),
        ).remote(command, order["variables"], order["directory"], rank)  # fmt: skip
    return {}


def state(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """The group's state in Ray's words, empty for one that is not known; and how each rank has ended, null while it runs."""
    try:
        group = get_placement_group(order["name"])
    except ValueError:
        return {"group": "", "ends": {}}
    told = placement_group_table(group)
    word = told.get("state", "")
    if word in _WAITING:
        return {"group": word, "ends": {}, "why": told.get("stats", {}).get("scheduling_state", "")}
    return {"group": word, "ends": _ends([_actor(order["name"], rank) for rank in range(order["ranks"])])}


def stop(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """End the agents, then their actors and the group."""
    actors = []
    for rank in range(order["ranks"]):
        try:
            actors.append(ray.get_actor(_actor(order["name"], rank)))
        except ValueError:
            continue
    with contextlib.suppress(RayActorError, GetTimeoutError):  # it has died, or was never started
        ray.get([actor.stop.remote() for actor in actors], timeout=ANSWER)
    for actor in actors:
        ray.kill(actor)
    with contextlib.suppress(ValueError):
        remove_placement_group(get_placement_group(order["name"]))
    return {}


def _ends(names: Sequence[str]) -> Mapping[str, str | None]:
    """By rank; None also for one that starts, or whose node is slow: who is silent is heard of elsewhere."""
    told: dict[str, str | None] = {}
    asked = {}
    for rank, name in enumerate(names):
        try:
            asked[ray.get_actor(name).end.remote()] = str(rank)
        except ValueError:
            told[str(rank)] = "its actor is gone"
    ready, slow = ray.wait(list(asked), num_returns=len(asked), timeout=ANSWER) if asked else ([], [])
    for one in ready:
        try:
            told[asked[one]] = ray.get(one)
        except ActorUnavailableError:
            told[asked[one]] = None
        except RayActorError as error:
            told[asked[one]] = " ".join(str(error).split())[:300]
    return told | dict.fromkeys((asked[one] for one in slow), None)


def _actor(name: str, rank: int) -> str:
    return f"{name}-rank-{rank}"


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is no answer
    try:
        ray.init(address=sys.argv[1], namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
    except BaseException as error:
        print(json.dumps({"absent": " ".join(str(error).split())[:500]}), file=answers, flush=True)
        raise
    print(json.dumps({"resources": ray.cluster_resources()}), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = globals()[order.pop("what")](order)
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
