"""What completions that nobody would want get from rewards: where these win, training learns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from tunesmith_rewards.api.score import Score
from tunesmith_rewards.runner.reward_runner import RewardRunner

KINDS = ("empty", "longest", "repeated", "prompt")
_FILLER = "and so on, as it was said before, "  # the longest, where no completion is known
_WORDS = 512


@dataclass(frozen=True)
class Probe:
    """One kind of junk.

    Args:
        name: ``empty``: no text; ``longest``: filler, longer than each completion that is known; ``repeated``: the first sentence of the
            completion (without one: the prompt's) twenty times; ``prompt``: the prompt itself.
        total: mean of the totals of the rows that were scored; None: none was.
        parts: reward's name -> mean of its values.
        unscored: share of the rows without a total.
        wins: share of the rows, of those with both totals, where it has at least the total of the row's best completion and that has one;
            None where no completions were given, or none has a total.
        equal: whether in all of those rows it has just the same total, so that nothing is learned from the rewards at all.
    """

    name: str
    total: float | None
    parts: Mapping[str, float]
    unscored: float
    wins: float | None = None
    equal: bool = False
    scores: Sequence[Score] = field(default=(), repr=False)


def junk(
    runner: RewardRunner, prompts: Sequence[str], rows: Sequence[Mapping[str, Any]], completions: Sequence[Sequence[str]] | None = None
) -> list[Probe]:
    """Scores junk for some prompts; a few are enough. Failures don't count towards the runner's `max_failed_share`.

    Args:
        prompts, rows: one of each per prompt.
        completions: real completions of each prompt, whose best is what junk is compared with.

    Returns:
        A `Probe` for each of `KINDS`.

    Raises:
        TunesmithError: as `RewardRunner.submit` and `PendingScores.result`.
    """
    real = [list(found) for found in completions] if completions is not None else [[] for _ in prompts]
    best = _best(runner, prompts, rows, real)
    longest = max((len(text) for found in real for text in found), default=0)
    filler = _FILLER * (max(longest, _WORDS * 4) // len(_FILLER) + 1)
    texts: Mapping[str, list[str]] = {
        "empty": ["" for _ in prompts],
        "longest": [filler for _ in prompts],
        "repeated": [_repeated(found[0] if found else prompt) for prompt, found in zip(prompts, real, strict=True)],
        "prompt": list(prompts),
    }
    pending = {name: runner.submit(prompts, texts[name], rows, counted=False) for name in KINDS}
    return [_probe(name, pending[name].result(), best) for name in KINDS]


def _best(
    runner: RewardRunner, prompts: Sequence[str], rows: Sequence[Mapping[str, Any]], real: Sequence[Sequence[str]]
) -> list[float | None]:
    owners = [place for place, found in enumerate(real) for _ in found]
    flat = [text for found in real for text in found]
    scores = runner.score([prompts[place] for place in owners], flat, [rows[place] for place in owners], counted=False)
    best: list[float | None] = [None] * len(prompts)
    for place, score in zip(owners, scores, strict=True):
        before = best[place]
        if score.total is not None and (before is None or score.total > before):
            best[place] = score.total
    return best


def _repeated(text: str) -> str:
    first = text.strip().split(". ")[0][:200] or "the"
    return ". ".join([first] * 20)


def _probe(name: str, scores: Sequence[Score], best: Sequence[float | None]) -> Probe:
    totals = [score.total for score in scores if score.total is not None]
    named = dict.fromkeys(part for score in scores for part in score.parts)
    values = {part: [value for score in scores if (value := score.parts.get(part)) is not None] for part in named}
    both = [(score.total, one) for score, one in zip(scores, best, strict=True) if score.total is not None and one is not None]
    return Probe(
        name, fmean(totals) if totals else None, {part: fmean(found) for part, found in values.items() if found},
        1 - len(totals) / len(scores) if scores else 0.0,
        fmean(total >= one for total, one in both) if both else None,
        bool(both) and all(total == one for total, one in both), tuple(scores),
    )  # fmt: skip
