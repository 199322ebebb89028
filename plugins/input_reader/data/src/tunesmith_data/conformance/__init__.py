"""Conformance checks of the kinds that this plugin brings; `tunesmith_sdk.conformance` imports them."""
