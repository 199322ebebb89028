"""What so many questions can show, said before they are asked."""

from __future__ import annotations

from tunesmith_statistics.counts import smallest_difference


def resolution(rows: int, *, each_area: bool = False) -> tuple[tuple[str, str], ...]:
    """For `Estimate.decisions`: how far two models have to differ for so many questions to see it; nothing where they are not known.

    Args:
        each_area: these are the questions of one of several areas, which are told apart.
    """
    if rows < 1:
        return ()
    points = 100 * smallest_difference(rows)
    said = f"two models that differ by {points:.1f} points are told apart in 4 of 5 evaluations; where they mostly answer alike, by less"
    return ((f"{rows} questions of each area" if each_area else f"{rows} questions", said),)
