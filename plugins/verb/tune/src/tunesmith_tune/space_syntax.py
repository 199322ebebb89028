"""``steps.tune.settings.learning_rate=log(1e-5,1e-3)``: how a space is written on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tunesmith.errors import UserError, did_you_mean
from tunesmith.planning.pipeline.yaml_lines import load_lines
from tunesmith_tune.api import Parameter, Value

FORMS = ("log", "uniform", "int", "choice")
_CALL = re.compile(r"\s*([A-Za-z_]+)\s*\((.*)\)\s*", re.S)


def read_space(written: Iterable[str], places: Mapping[str, str] | None = None) -> tuple[Parameter, ...]:
    """The parameters that are written ``PATH=SPACE``.

    Args:
        places: other names of a place -> its own.

    Raises:
        UserError: TS-TUNE-001 when one is not of the grammar, or two stand at one place.
    """
    found: dict[str, Parameter] = {}
    for text in written:
        name, equals, space = text.partition("=")
        name = (places or {}).get(name.strip(), name.strip())
        if not equals or not all(name.split(".")):
            raise _error(text, "It is not PATH=SPACE.", "Write for example `steps.tune.settings.learning_rate=log(1e-5,1e-3)`.")
        if name in found:
            raise _error(text, f"There are two spaces for {name}.", "Give each place one.")
        found[name] = _parameter(name, space, text)
    return tuple(found.values())


def _parameter(name: str, space: str, text: str) -> Parameter:
    call = _CALL.fullmatch(space)
    if call is None:
        choices = [part.strip() for part in space.split("|")]
        if len(choices) < 2:
            raise _error(
                text, f"`{space.strip()}` is one value, which leaves nothing to search.", f"For one value: `--set {text.strip()}`."
            )
        return _choice(name, choices, text)
    form, parts = call[1], [part.strip() for part in call[2].split(",")]
    if form not in FORMS:
        raise _error(text, f"There is no space `{form}(...)`.", did_you_mean(form, FORMS))
    if form == "choice":
        return _choice(name, parts, text)
    if len(parts) not in ((2, 3) if form == "int" else (2,)):
        example = "int(4,64,4)" if form == "int" else f"{form}(1e-5,1e-3)"
        raise _error(text, f"`{form}` has {len(parts)} numbers.", f"Give the least and the most: `{example}`.")
    numbers = [_number(part, text) for part in parts]
    low, high = numbers[:2]
    if form == "int":
        if not all(number.is_integer() for number in numbers) or (len(numbers) == 3 and numbers[2] < 1):
            raise _error(
                text, "`int` takes whole numbers; the third is the step between two values, at least 1.", "Or write `uniform(...)`."
            )
        step = int(numbers[2]) if len(numbers) == 3 else 1
        if low < high and step > high - low:
            raise _error(
                text, f"A step of {step} leads from {parts[0]} beyond {parts[1]}.", "Give a smaller step, or one value with `--set`."
            )
        high = low + (high - low) // step * step  # the last one that is a whole number of steps away
    if not low < high:
        raise _error(text, f"{parts[0]} is not less than {parts[1]}.", "Give the least first.")
    if form == "log" and low <= 0:
        raise _error(text, "A logarithmic scale has no zero.", f"Begin with a small number: `log(1e-6,{parts[1]})`; or write `uniform`.")
    return Parameter(name, form, low, high, step=step if form == "int" else 1)  # type: ignore[arg-type]


def _choice(name: str, parts: list[str], text: str) -> Parameter:
    values = tuple(_scalar(part, text) for part in parts)
    if len({(type(value), value) for value in values}) < max(2, len(values)):
        raise _error(text, "Choices are at least two different values.", "For one value: `--set PATH=VALUE`.")
    return Parameter(name, "choice", choices=values)


def _scalar(part: str, text: str) -> Value:
    value, _, problems = load_lines(part, "--search")
    if problems or not isinstance(value, (bool, int, float, str)) or value == "":
        raise _error(text, f"`{part}` is no number, no word and neither true nor false.", "Give values that stand in a line of a pipeline.")
    return value


def _number(part: str, text: str) -> float:
    value: Any = _scalar(part, text)
    if isinstance(value, (bool, str)):
        raise _error(text, f"`{part}` is no number.", "For words write `a|b|c`.")
    return float(value)


def _error(text: str, why: str, fix: str) -> UserError:
    return UserError("TS-TUNE-001", f"--search {text} can't be searched", why=why, fix=fix)
