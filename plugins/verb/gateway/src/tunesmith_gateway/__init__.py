"""One port before several models: `tunesmith gateway`, and `tunesmith serve switch`, which brings a new version up under load."""

from pathlib import Path

SUMMARY = "several models, adapters and engines behind one port: keys, limits, metrics, version switch"
SWITCH = "bring a new version of a served model up under load; a gateway stands before it"
NOTES = Path("gateway") / "running"  # in the home: a file for each gateway that is up
