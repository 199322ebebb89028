"""Points that a step has measured are not lost with a host that was killed before it took them down."""

from __future__ import annotations

from pathlib import Path

from tunesmith.isolation.metric_log import BYTES, FILE, KEPT, PointsFile, points_in


def test_points_come_back_in_order(tmp_path: Path):
    points = PointsFile(tmp_path)
    for at in range(3):
        points.add({"name": "loss", "value": at / 2, "at": at})
    assert list(points_in(tmp_path)) == [("loss", 0.0, 0), ("loss", 0.5, 1), ("loss", 1.0, 2)]


def test_however_many_there_are_the_last_ones_are_there_and_the_files_stay_small(tmp_path: Path):
    points = PointsFile(tmp_path)
    for at in range(5 * KEPT + 7):
        points.add({"name": "loss", "value": 0.0, "at": at})
    kept = [at for _, _, at in points_in(tmp_path)]
    assert kept == list(range(4 * KEPT, 5 * KEPT + 7))


def test_however_long_their_names_are_the_files_stay_small(tmp_path: Path):
    points, name = PointsFile(tmp_path), "x" * 2**17
    for at in range(100):
        points.add({"name": name, "value": 0.0, "at": at})
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * BYTES + 2**20
    assert [at for _, _, at in points_in(tmp_path)][-1] == 99


def test_a_line_that_a_kill_has_cut_off_is_passed_over(tmp_path: Path):
    PointsFile(tmp_path).add({"name": "loss", "value": float("nan"), "at": 1})
    with open(tmp_path / FILE, "a") as file:
        file.write('{"name": "lo')
    ((name, value, at),) = points_in(tmp_path)
    assert (name, value != value, at) == ("loss", True, 1)


def test_a_directory_that_is_not_there_has_none(tmp_path: Path):
    PointsFile(tmp_path / "nowhere").add({"name": "loss", "value": 0.0, "at": 1})
    assert list(points_in(tmp_path / "nowhere")) == []
