"""Settings of the adapter `prefix`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PrefixSettings:
    tokens: int = setting(20, "how many keys and values each layer has before every sequence", ge=1)
    start: str = setting(
        "activations", "what they begin as. activations: those of words drawn from the vocabulary, which its authors find far better with "
        "little data; noise: normal random numbers. With `projection` they begin as what the network makes of noise",
        choices=("activations", "noise"),
    )  # fmt: skip
    projection: int = setting(
        0, "width of a two-layer network that makes the prefix while it trains, as its authors do: steadier, many more parameters; what is "
        "saved is the prefix. 0: the prefix itself trains", ge=0,
    )  # fmt: skip
