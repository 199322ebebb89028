"""Conformance checks of the kind that this plugin brings; `tunesmith_sdk.conformance` imports them."""
