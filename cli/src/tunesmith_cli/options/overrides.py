"""``--set steps.tune.settings.epochs=3``: a pipeline with values changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from tunesmith.errors import Problems, UserError, did_you_mean, nearest, shown, together
from tunesmith.planning.pipeline.spec import TOP_KEYS, PipelineSpec


def override(spec: PipelineSpec, assignments: Iterable[str]) -> PipelineSpec:
    """The pipeline with each ``path=value`` put in; values are YAML, paths that are not there are made.

    Raises:
        UserError: TS-CLI-007 when an assignment is not of that form or leads nowhere.
        Problems: TS-SPEC-... what is wrong with the pipeline, or when what comes out is none.
    """
    assignments = list(assignments)
    if not assignments:
        return spec
    if spec.problems:
        raise Problems(spec.problems)
    data = {
        "name": spec.name, "model": spec.model or None, "seed": spec.seed, "device": spec.device, "steps": _copy(spec.steps),
        "executor": spec.executor, "ignore_estimates": spec.ignore_estimates, **_copy(spec.more),
    }  # fmt: skip
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            raise _error(assignment, "it is not PATH=VALUE", "Write for example `--set steps.NAME.settings.epochs=3`.")
        if keys[0] not in TOP_KEYS and (meant := nearest(keys[0], TOP_KEYS, "")):  # others are the planner's to judge
            raise _error(assignment, f"`{keys[0]}` is not a key of a pipeline", meant)
        if keys[0] == "steps" and len(keys) > 1 and keys[1] not in spec.steps:
            raise _error(assignment, f"there is no step `{keys[1]}`", did_you_mean(keys[1], spec.steps))
        _put(data, keys, _value(text), assignment)
    changed = PipelineSpec.from_mapping(data, spec.base, name=spec.name)
    return dataclasses.replace(changed, path=spec.path, lines=spec.lines)


def _put(data: Any, keys: list[str], value: Any, assignment: str) -> None:
    for index, key in enumerate(keys):
        place: Any = key
        if isinstance(data, list):
            if not key.isdigit() or int(key) >= len(data):
                raise _error(assignment, f"`{key}` is no place in a list of {len(data)}", "Places count from 0.")
            place = int(key)
        elif not isinstance(data, dict):
            raise _error(assignment, f"`{'.'.join(keys[:index])}` is {shown(data)}, which holds nothing", "Shorten the path.")
        if index == len(keys) - 1:
            data[place] = value
            return
        inner = data.get(place) if isinstance(data, dict) else data[place]
        if inner is None or inner == keys[index + 1]:
            inner = {} if inner is None else {inner: {}}  # `adapter: tilt` as `adapter: {tilt: {}}`, to take settings
            data[place] = inner
        data = inner


def _value(text: str) -> Any:
    from tunesmith.planning.pipeline.yaml_lines import load_lines

    value, _, found = load_lines(text, "--set")
    if found:
        raise together(found)
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _error(assignment: str, why: str, fix: str) -> UserError:
    return UserError("TS-CLI-007", f"--set {assignment} can't be done", why=why, fix=fix)
