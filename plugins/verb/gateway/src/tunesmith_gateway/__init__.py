"""One port before several models: `tunesmith gateway`, and `tunesmith serve switch`, which brings a new version up under load."""

SUMMARY = "several models, adapters and engines behind one port: keys, limits, metrics, version switch"
SWITCH = "bring a new version of a served model up under load; a gateway stands before it"
