"""Environments of the verifiers package. It finds `ChatHarness` here, by the package's name."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_verifiers.harness import ChatHarness

__all__ = ["ChatHarness"]

__getattr__ = exports(__name__, {"ChatHarness": "tunesmith_verifiers.harness"})
