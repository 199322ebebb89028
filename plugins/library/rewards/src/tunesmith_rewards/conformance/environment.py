"""Checks of environments: whatever a model writes they go on, the same whenever they are asked, each episode by itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from tunesmith_rewards.runner.episodes import ended, observation, opening
from tunesmith_sdk.conformance import CheckFailed, Subject, action, check, observer

Example = tuple[Mapping[str, Any], int, Sequence[str], Sequence[str]]  # row, seed, better and worse answers

#: where the author names none
PLAIN: list[Example] = [
    ({"prompt": "Begin.", "answer": "4", "messages": [{"role": "user", "content": "Begin."}]}, seed, ("4", "5", "6"), ("", "7"))
    for seed in (1, 2)
]
#: what models write, too
ODD = (
    "", " \n", "{", "4" * 2000, "Ä 🙂 \x00 你好", "word " * 500, "<tool_call>", "<tool_call>{}</tool_call>",
    '<tool_call>{"name": "calculator", "arguments": {}}</tool_call>', '<tool_call>{"name": "\\u0000", "arguments": {"x": 1}}</tool_call>',
)  # fmt: skip


def examples(subject: Subject) -> list[Example]:
    """The author's `episodes(case)`, else plain ones."""
    said = subject.asked("episodes")
    return PLAIN if said is None else [(dict(row), seed, better, worse) for row, seed, better, worse in said]


@contextmanager
def built(subject: Subject) -> Iterator[Any]:
    """An environment, closed behind the block where it has something to close."""
    environment = subject.build()
    try:
        yield environment
    finally:
        if callable(close := getattr(environment, "close", None)):
            close()


def alone(subject: Subject, row: Mapping[str, Any], seed: int, answers: Sequence[str]) -> list[Any]:
    """`played` by an environment of its own."""
    with built(subject) as environment:
        return played(environment, row, seed, answers)


def played(environment: Any, row: Mapping[str, Any], seed: int, answers: Sequence[str]) -> list[Any]:
    """All replies of an episode, the last one of `end` where it was not done; an exception by its name."""
    return list(_replies(environment, row, seed, answers))


def _replies(environment: Any, row: Mapping[str, Any], seed: int, answers: Sequence[str]) -> Iterator[Any]:
    try:
        yield opening(environment.reset(copy.deepcopy(dict(row)), seed))
        for answer in answers:
            yield (said := observation(environment.step(answer)))
            if said["done"]:
                return
        yield ended(environment)
    except Exception as error:
        yield f"raises {type(error).__name__}: {error}"


def reward(replies: Sequence[Any]) -> float | None:
    """Of an episode; None: unscored, or it has failed."""
    given = [one["reward"] for one in replies if isinstance(one, dict) and one["reward"] is not None]
    return sum(given) if given and isinstance(replies[-1], dict) else None


@action("rl_environment")
def work(subject: Subject) -> None:
    with built(subject) as environment:
        for row, seed, better, _ in examples(subject):
            subject.step.check_cancelled()
            played(environment, row, seed, better)


@observer("rl_environment")
def observe(subject: Subject) -> Mapping[str, Any]:
    found = [alone(subject, row, seed, said) for row, seed, *both in examples(subject) for said in both]
    return {"episodes": found}


@check("rl_environment.goes-on", kind="rl_environment", title="whatever a model writes, it gives a reply that can be read")
def goes_on(subject: Subject) -> Iterator[CheckFailed]:
    row, seed, better, worse = examples(subject)[0]
    with built(subject) as environment:
        for answers in (better, worse, *((odd, *better) for odd in ODD)):
            said = played(environment, row, seed, answers)
            if isinstance(said[-1], str):
                yield CheckFailed(
                    f"after {[answer[:40] for answer in answers[: len(said) - 1]]} it {said[-1][:200]}",
                    fix="Answer nonsense with a message, or end the episode with little; raise where the environment itself is broken.",
                )  # fmt: skip
                return


@check(
    "rl_environment.same-again", kind="rl_environment", title="the same row, seed and answers give the same episode, also after another one"
)
def same_again(subject: Subject) -> None:
    with built(subject) as used:
        for row, seed, better, worse in examples(subject):
            first = alone(subject, row, seed, better)
            played(used, row, seed + 1, worse)
            if (again := played(used, row, seed, better)) != first:
                raise CheckFailed(
                    "an episode that is played again is another one", found=_difference(first, again),
                    fix="Let `reset` forget the episode before, and draw from the seed alone.",
                )  # fmt: skip


@check("rl_environment.apart", kind="rl_environment", title="episodes that are played at once are those that each is alone")
def apart(subject: Subject) -> None:
    row, seed, better, worse = examples(subject)[0]
    pair = ((row, seed, better), (row, seed + 7, worse))
    wanted = [alone(subject, *one) for one in pair]
    found: list[list[Any]] = [[], []]
    with built(subject) as first, built(subject) as second:
        turns = [_replies(environment, *one) for environment, one in zip((first, second), pair, strict=True)]
        for _ in range(max(map(len, wanted))):
            for replies, said in zip(turns, found, strict=True):
                said.extend(islice(replies, 1))
    if found != wanted:
        raise CheckFailed(
            "two episodes that are played in turn are others than each alone", found=_difference(wanted, found),
            fix="Keep an episode's state in the object, not in its module or class.",
        )  # fmt: skip


@check("rl_environment.leaves-the-row", kind="rl_environment", title="it does not change the row")
def leaves_the_row(subject: Subject) -> None:
    with built(subject) as environment:
        for row, seed, better, _ in examples(subject):
            given = copy.deepcopy(dict(row))
            try:
                environment.reset(given, seed)
                for answer in better:
                    if environment.step(answer).done:
                        break
            except Exception:
                continue  # `rl_environment.goes-on` tells it
            if given != row:
                raise CheckFailed("it changes the row", found=str(given)[:200], fix="Work on a copy.")


@check(
    "rl_environment.prefers-the-better", kind="rl_environment", level="gold", title="of its author's examples the better answers get more",
)  # fmt: skip
def prefers_the_better(subject: Subject) -> None:
    subject.author("episodes")  # without them it is not run
    for row, seed, better, worse in examples(subject):
        more, less = (reward(alone(subject, row, seed, said)) for said in (better, worse))
        if more is None or less is None or more <= less:
            raise CheckFailed(
                f"{list(better)} gets {more} and {list(worse)} gets {less}", fix="More is better; see whether the examples say so."
            )


def _difference(one: Sequence[Any], other: Sequence[Any]) -> str:
    return next((f"{before} and then {after}"[:300] for before, after in zip(one, other, strict=False) if before != after), "its length")
