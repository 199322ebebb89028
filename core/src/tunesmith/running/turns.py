"""Steps that run beside each other take turns in the host's one thread: each goes on until it has to wait, so nothing needs a lock."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")
Ongoing = Coroutine[None, None, T]  #: of something that waits by `await turn()`


class _Turn:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def turn() -> None:
    """Awaited by who waits: back when the others have had their turn, and something has happened or some time has passed."""
    await _Turn()


def to_the_end(ongoing: Ongoing[T], others: Callable[[], Any]) -> T:
    """What comes of it, with `others` called whenever it waits."""
    while True:
        try:
            ongoing.send(None)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        others()
