"""A check of facts: what a provider says of itself for other plugins, as those that read it understand it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk.conformance.bench.bench import Bench
from tunesmith_sdk.conformance.checks import CheckFailed, check

READERS = "tunesmith.facts"  #: entry points: a fact's name -> a function that is given a record and says what is wrong, or nothing


def readers(record: ProviderRecord) -> list[EntryPoint]:
    """Of the installed ones, those of a fact that the record has."""
    return [point for point in entry_points(group=READERS) if point.name in record.facts]


@check(
    "provider.facts",
    at="host",
    when=lambda record: bool(readers(record)),
    title="what it says of itself for other plugins is what those understand",
)
def facts(bench: Bench) -> Iterator[CheckFailed]:
    for point in readers(bench.record):
        if told := point.load()(bench.record):
            by = point.dist.name if point.dist else point.value
            yield CheckFailed(f"the fact `{point.name}`: {told}", fix=f"Write it as the documentation of {by}, which reads it, has it.")
