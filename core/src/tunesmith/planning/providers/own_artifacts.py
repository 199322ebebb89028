"""A provider that goes on with what it has made itself: an adapter that is trained further, instead of being folded in first."""

from __future__ import annotations

from tunesmith.contracts.artifacts import fits
from tunesmith.planning.inputs.step_outputs import Product
from tunesmith.planning.plan import Choice
from tunesmith.planning.providers.capabilities import HAS_IT

CAPABILITY = "continues"


def continues(choice: Choice | None, product: Product) -> bool:
    """Whether the provider takes its own artifact as it is: one that it has made with the same settings."""
    return _made_by(choice, product) and not differing(choice, product)


def differing(choice: Choice | None, product: Product) -> tuple[str, ...]:
    """The settings that were others when the provider made the artifact; none where it did not, or can't go on in any case."""
    if choice is None or not _made_by(choice, product):
        return ()
    before, now = product.producers[0].settings, choice.settings
    return tuple(name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name))


def why_not(choice: Choice | None, product: Product) -> str:
    """Of an artifact that is converted first, though its provider could go on with it: why, as a sentence after a full stop; else empty."""
    names = differing(choice, product)
    if choice is None or not names:
        return ""
    before = product.producers[0].settings
    told = ", ".join(f"`{name}` is {before.get(name)} there and {choice.settings.get(name)} here" for name in names)
    return f". `{choice.record.name}` does not go on with what `{product.step}` made: {told}"


def going_on(choice: Choice, product: Product) -> tuple[str, str]:
    """The decision, with its reason."""
    return (
        f"goes on with what `{product.step}` made",
        f"`{choice.record.name}` has made it, with the same settings: it is changed further as it is, and nothing is converted or rounded",
    )


def _made_by(choice: Choice | None, product: Product) -> bool:
    if choice is None or not product.producers or choice.record.capabilities.get(CAPABILITY) not in HAS_IT:
        return False
    maker, record = product.producers[0].record, choice.record
    return (maker.kind, maker.name, maker.distribution) == (record.kind, record.name, record.distribution) and fits(
        product.format, record.produces
    )
