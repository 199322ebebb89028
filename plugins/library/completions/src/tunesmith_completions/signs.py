"""Signs in the metrics that something else is learned than was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_STEPS = 20  # that a sign takes
_GAIN, _LONGER = 0.2, 1.3  # of the reward in its standard deviations; of the length as a factor


def signs(history: Sequence[Mapping[str, float]]) -> list[str]:
    """Sentences; the README tells their rules."""
    known = [point for point in history if "reward" in point and "completions/mean_length" in point]
    found: list[str] = []
    if len(known) < _STEPS:
        return found
    first, last = known[: _STEPS // 2], known[-_STEPS // 2 :]
    if all(point.get("frac_reward_zero_std") == 1 for point in last):
        found.append("no prompt of the last steps gave a gradient: all completions of each have the same reward")
    if all(point.get("completions/clipped_ratio", 0) > 0.5 for point in last):
        found.append("more than half of the completions are truncated: raise `max_completion_length`, or set `mask_truncated_completions`")
    longer = _mean(last, "completions/mean_length") / max(_mean(first, "completions/mean_length"), 1e-9)
    spread = max(_mean(first, "reward_std"), 1e-9)
    gained = (_mean(last, "reward") - _mean(first, "reward")) / spread
    if longer > _LONGER and gained > _GAIN and _correlation(known) > 0.8:
        found.append("the reward rises with the length of the completions: look whether it pays for length alone")
    return found


def _mean(points: Sequence[Mapping[str, float]], name: str) -> float:
    values = [point[name] for point in points if name in point]
    return sum(values) / len(values) if values else 0.0


def _correlation(points: Sequence[Mapping[str, float]]) -> float:
    """Of reward and length over the steps."""
    from statistics import StatisticsError, correlation

    try:
        return correlation([point["reward"] for point in points], [point["completions/mean_length"] for point in points])
    except StatisticsError:  # one of them never changes
        return 0.0
