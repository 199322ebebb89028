"""Conformance checks of the kinds that the engine brings; `tunesmith_sdk.conformance` imports them."""
