"""Checks of rewards: numbers or None whatever a model writes, the same whenever they are asked, and more for what is better."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith_rewards.api.score import number
from tunesmith_sdk.conformance import CheckFailed, Subject, action, check, observer

Example = tuple[str, str, str, Mapping[str, Any]]  # prompt, a better and a worse completion, row

#: where the author names none
PLAIN: list[Example] = [("What is 2 + 2?", "It is 4.", "It is 5.", {"prompt": "What is 2 + 2?", "answer": "4"})]
#: what models write, too
ODD = ("", " \n", "{", "\\boxed{", "```python\n", "[1, 2", "4" * 2000, "Ä 🙂 \x00 你好", "</think>", "word " * 500)


def examples(subject: Subject) -> list[Example]:
    """The author's `examples(case)`, else plain ones."""
    said = subject.asked("examples")
    return PLAIN if said is None else [(prompt, better, worse, dict(row)) for prompt, better, worse, row in said]


def calls(subject: Subject, odd: bool = True) -> list[tuple[str, str, dict[str, Any]]]:
    """What it is asked: the examples, and for the first of them what models write, too."""
    found = examples(subject)
    asked = [(prompt, text, dict(row)) for prompt, better, worse, row in found for text in (better, worse)]
    prompt, _, _, row = found[0]
    return asked + ([(prompt, text, dict(row)) for text in (*ODD, prompt)] if odd else [])


def spoken(reward: Any, asked: list[tuple[str, str, dict[str, Any]]]) -> list[Any]:
    """Each answer, or the exception's name."""
    said: list[Any] = []
    for prompt, completion, row in asked:
        try:
            said.append(reward.score(prompt, completion, copy.deepcopy(row)))
        except Exception as error:
            said.append(f"raises {type(error).__name__}: {error}")
    return said


@action("reward")
def work(subject: Subject) -> None:
    reward = subject.build()
    for one in calls(subject):
        subject.step.check_cancelled()
        spoken(reward, [one])


@observer("reward")
def observe(subject: Subject) -> Mapping[str, Any]:
    return {"scores": [str(one) for one in spoken(subject.build(), calls(subject))]}


@check("reward.number-or-none", kind="reward", title="it gives a finite number or None for whatever a model may write")
def number_or_none(subject: Subject) -> Iterator[CheckFailed]:
    reward = subject.build()
    for prompt, completion, row in calls(subject):
        try:
            said = reward.score(prompt, completion, row)
        except Exception as error:
            yield CheckFailed(
                f"for {completion[:40]!r} it raises {type(error).__name__}", found=str(error), fix="Give None where it can't tell."
            )
            return
        if (wrong := number(said)[1]) or isinstance(said, bool):
            yield CheckFailed(f"for {completion[:40]!r} {wrong or 'it returned a bool'}", fix="Give a finite float, or None.")
            return


@check("reward.same-again", kind="reward", title="a new one gives the same, in whatever order it is asked")
def same_again(subject: Subject) -> None:
    asked = calls(subject)
    forth, back = spoken(subject.build(), asked), spoken(subject.build(), asked[::-1])[::-1]
    for (_, completion, _), before, after in zip(asked, forth, back, strict=True):
        if not _close(before, after):
            raise CheckFailed(
                f"for {completion[:40]!r} it gives {before}, and asked again {after}",
                fix="Depend on prompt, completion, row and settings alone: on no earlier call, clock or chance.",
            )


@check("reward.leaves-the-row", kind="reward", title="it does not change the row")
def leaves_the_row(subject: Subject) -> None:
    reward = subject.build()
    for prompt, completion, row in calls(subject):
        before = copy.deepcopy(row)
        try:
            reward.score(prompt, completion, row)
        except Exception:
            continue  # `reward.number-or-none` tells it
        if row != before:
            raise CheckFailed(f"for {completion[:40]!r} it changes the row", found=str(row)[:200], fix="Work on a copy.")


@check("reward.batch-agrees", kind="reward", title="several completions at once get what each gets alone")
def batch_agrees(subject: Subject) -> None:
    reward, asked = subject.build(), calls(subject, odd=False)
    if not callable(getattr(reward, "score_batch", None)):
        return
    prompts, completions, rows = (list(found) for found in zip(*asked, strict=True))
    said = list(reward.score_batch(prompts, completions, copy.deepcopy(rows)))
    if len(said) != len(asked):
        raise CheckFailed(f"`score_batch` gives {len(said)} answers for {len(asked)} completions", fix="Give one for each, in their order.")
    for completion, single, batched in zip(completions, spoken(subject.build(), asked), said, strict=True):
        if not _close(single, batched):
            raise CheckFailed(
                f"{completion[:40]!r} gets {single} alone and {batched} among others", fix="Let `score` ask `score_batch` with one."
            )


@check("reward.prefers-the-better", kind="reward", level="gold", title="of its author's examples the better completion gets more")
def prefers_the_better(subject: Subject) -> None:
    subject.author("examples")  # without them it is not run
    reward = subject.build()
    for prompt, better, worse, row in examples(subject):
        more, less = spoken(reward, [(prompt, better, dict(row)), (prompt, worse, dict(row))])
        if not (isinstance(more, float | int) and isinstance(less, float | int) and more > less):
            raise CheckFailed(
                f"{better[:40]!r} gets {more} and {worse[:40]!r} gets {less}", fix="More is better; see whether the examples say so."
            )


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-4)  # a model in a batch adds in another order
    return bool(one == other)
