"""Settings of the adapter `prefix`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PrefixSettings:
    num_virtual_tokens: int = setting(
        20, "how many keys and values each layer has before every sequence", ge=1, aliases=("virtual_tokens",)
    )
    prefix_init: str = setting(
        "activations", "what they begin as. activations: those of words drawn from the vocabulary, which its authors find far better with "
        "little data; random: normal random numbers. With `encoder_hidden_size` they begin as what the network makes of random numbers",
        choices=("activations", "random"),
    )  # fmt: skip
    encoder_hidden_size: int = setting(
        0, "width of a two-layer network that makes the prefix while it trains, as its authors do: steadier, many more parameters; what is "
        "saved is the prefix. 0: the prefix itself trains", ge=0,
        unlike={"prefix_projection": "give the network's width, `encoder_hidden_size`"},
    )  # fmt: skip
