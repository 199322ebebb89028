"""A disk that fills up fails the step with what to do, leaves nothing half-written, and the same command goes on when there is room."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_plans import Place, step, text

from tunesmith.errors import TunesmithError


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Place]:
    """A place whose home is a file system of 1 MiB; called ``small.home`` it can be given more by `enlarge`."""
    place = Place.at(tmp_path)
    place.home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place.home)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a file system of its own needs the right to mount: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place.home)], check=True)


def enlarge(place: Place) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(place.home)], check=True)


def test_a_step_that_fills_the_disk_is_told_and_goes_on_when_there_is_room(small: Place) -> None:
    steps = (step("a", to=5), step("b", "bulk", reads="a", to=40))
    outcome = small.run(*steps)
    assert (outcome.state, outcome.error.code, outcome.exit_status) == ("failed", "TS-STORE-001", 1)
    assert "--home" in outcome.error.fix
    assert list((small.home / "staging").iterdir()) == []
    assert len(list((small.home / "store").glob("*/*"))) == 1
    enlarge(small)
    outcome = small.run(*steps)
    assert (outcome.state, outcome.steps["a"].cached) == ("done", True)
    assert text(outcome, "a") == "[0, 1, 4, 9, 16]"


def test_a_disk_that_is_full_from_the_start_is_told(small: Place) -> None:
    filler = small.home / "filler"
    with contextlib.suppress(OSError):
        filler.write_bytes(b"x" * 2**21)
    with pytest.raises(TunesmithError, match="TS-STORE-001"):
        small.run(step("a"))
    filler.unlink()
    assert small.run(step("a")).state == "done"


@pytest.mark.parametrize("room", range(4096, 200_000, 24_576))
def test_wherever_the_room_ends_nothing_is_half_written(small: Place, room: int) -> None:
    small.run(step("z", to=1))
    free = _free(small.home)
    (small.home / "filler").write_bytes(b"x" * max(0, free - room))
    try:
        code = getattr(small.run(step("a"), step("b", reads="a")).error, "code", "")
    except TunesmithError as error:
        code = error.code
    assert code in ("", "TS-STORE-001")
    (small.home / "filler").unlink()
    enlarge(small)
    outcome = small.run(step("a"), step("b", reads="a"))
    assert outcome.state == "done"
    assert all(step.artifact and (step.artifact.path / "numbers.txt").stat().st_size for step in outcome.steps.values())


def _free(path: Path) -> int:
    import os

    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize
