"""Settings of every type that becomes an option."""

from __future__ import annotations

from dataclasses import dataclass, field

from tunesmith.contracts import setting


@dataclass(frozen=True)
class Rope:
    factor: float = setting(1.0, "how long", gt=0)


@dataclass(frozen=True)
class TiltSettings:
    angle: int = setting(8, "how far to tilt", ge=1)
    side: str = setting("left", "where to", choices=("left", "right"))
    targets: list[str] = setting(["all"], "what to tilt", aliases=("target_modules",))
    bold: bool = setting(False, "100% tilted", aliases=("strong",))
    limit: int | None = setting(None, "no more than this")
    rope: Rope = field(default_factory=Rope)


@dataclass(frozen=True)
class EchoSettings:
    volume: int = setting(3, "how loud")
    epochs: int = setting(1, "of the echo, not of the lesson")


@dataclass(frozen=True)
class TeachSettings:
    epochs: float = setting(1.0, "how often to go through the data", gt=0)
    learning_rate: float = setting(1e-3, "how fast", gt=0, aliases=("lr", "volume"))
    fail: str = setting("", "how to fail")


@dataclass(frozen=True)
class ShorterSettings:
    every: int = setting(2, "keep every so-manieth letter", ge=1)


@dataclass(frozen=True)
class ServeSettings:
    host: str = setting("127.0.0.1", "address to listen on")
    port: int = setting(0, "port to listen on; 0: any free one", ge=0, le=65535)


@dataclass(frozen=True)
class BookSettings:
    address: str = setting("", "where the book lies", aliases=("url",))
    pages: int = setting(10, "how long it is", ge=1)
