"""The plugins that are installed here, and machines that are not."""

from __future__ import annotations

from argparse import Namespace

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import Device
from tunesmith.plugins.registry import Registry, load_registry
from tunesmith_cli.api import named_cards


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_registry(load_config())


@pytest.fixture(scope="session")
def machine(registry: Registry):
    """Devices of a machine by name: ``A10``, ``2xA100-80``, or ``16 GB`` for a processor with so much memory."""

    def of(name: str) -> dict[str, tuple[Device, ...]]:
        if name.endswith(" GB"):
            size = int(float(name.removesuffix(" GB")) * 2**30)
            figures = {"flops": {"float32": 200e9, "bfloat16": 400e9}, "bandwidth": 30e9, "threads": 8}
            return {"cpu": (Device("a processor", size, size * 3 // 4, 8, ("float32", "bfloat16"), figures),)}
        backend, cards = named_cards(Namespace(on=name, cards=None), registry)  # type: ignore[misc]
        return {backend: cards}

    return of
