"""Which model, which method, with which settings: decided over the manifests of the installed plugins. See docs/recommend.md."""

PROBE = "this machine for training: devices with their measured speed, memory, disk"
